"""A generator whose outputs depend on pixels as far away as its settings say."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import torch.nn.functional as F
from annotated_types import Ge
from torch import Tensor, nn
from typing_extensions import override

import genlab

genlab_interface = "1.0"


class Reach(genlab.Generator):
    """Means of neighbors.

    Args:
        radius: how far away these are.
        whole: whether the mean of the whole image is added.
        norm: the normalization.
        dropout: the share of features that is dropped.
    """

    size_multiple = 4

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        radius: Annotated[int, Ge(0)] = 1,
        whole: bool = False,
        norm: Literal["none", "batch", "instance", "group"] = "none",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        norms = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d, "group": partial(nn.GroupNorm, 1)}
        self.radius = radius
        self.whole = whole
        self.layer = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = norms[norm](out_channels) if norm != "none" else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    @override
    def forward(self, condition: Tensor) -> Tensor:
        near = F.avg_pool2d(condition, 2 * self.radius + 1, stride=1, padding=self.radius)
        seen = near + condition.mean(dim=(2, 3), keepdim=True) if self.whole else near
        return self.dropout(self.norm(self.layer(seen)))


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("reach", Reach)
