"""MONAI's U-Net as a generator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, cast

import torch
from annotated_types import Ge, Lt, MinLen
from genlab import Generator, Level, Skip
from jaxtyping import Float
from monai.networks import nets
from torch import Tensor, nn

_Positive = Annotated[int, Ge(1)]

_LEAST_SIDE = 2
"""The least side at the bottom: a norm over the pixels of one image cannot take a single one."""


class UNet(Generator):
    """`monai.networks.nets.UNet`: a U-Net of residual units (Kerfoot et al. 2018, doi 10.1007/978-3-030-12029-0_40).

    Levels are counted from the outermost, 1. Each begins with a residual unit whose first convolution has the level's
    stride, and ends with a transposed convolution of that stride and one more residual unit. What comes between, the
    levels further in, gets the output of the first unit; the last part gets both, channel by channel. First weights are
    those that the constructor of MONAI draws.

    Args:
        channels: feature maps of each level, from the outermost, and last those of the bottom.
        strides: by how much each level divides height and width; one fewer than `channels`.
        kernel_size: the side of the convolutions, in pixels.
        up_kernel_size: the side of the transposed convolutions, in pixels.
        num_res_units: convolutions in each residual unit on the way down; with 0 there is a plain convolution instead,
            and none after a transposed one.
        act: what follows each convolution and norm.
        norm: instance norm (without scale and shift) or batch norm.
        dropout: the share of features that is dropped in training, after each norm.

    Raises:
        ValueError: if `strides` does not fit `channels`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        channels: Annotated[list[_Positive], MinLen(2)] = [32, 64, 128, 256, 512],  # noqa: B006  (read only)
        strides: Annotated[list[_Positive], MinLen(1)] = [2, 2, 2, 2],  # noqa: B006
        kernel_size: Literal[1, 3, 5, 7] = 3,
        up_kernel_size: Literal[1, 3, 5, 7] = 3,
        num_res_units: Annotated[int, Ge(0)] = 2,
        act: Literal["prelu", "relu", "leakyrelu", "elu", "gelu"] = "prelu",
        norm: Literal["instance", "batch"] = "instance",
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    ) -> None:
        super().__init__()
        if len(strides) != len(channels) - 1:
            raise ValueError(
                f"`strides` has {len(strides)} values, and needs one fewer than the {len(channels)} of `channels`"
            )
        self.size_multiple = _LEAST_SIDE * math.prod(strides)
        self.net = nets.UNet(
            spatial_dims=2,
            in_channels=in_channels,
            out_channels=out_channels,
            channels=channels,
            strides=strides,
            kernel_size=kernel_size,
            up_kernel_size=up_kernel_size,
            num_res_units=num_res_units,
            act=act,
            norm=norm,
            dropout=dropout,
        )
        self._parts = _taken_apart(self.net.model, len(strides))

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self.net(condition)

    def levels(self) -> Sequence[Level]:
        """The way down, the bottom, and the way up."""
        parts = self._parts
        downs = [Level(f"down {number}", module) for number, module in enumerate(parts.downs, start=1)]
        ups = [Level(f"up {number}", module, f"+ down {number}") for number, module in enumerate(parts.ups, start=1)]
        return [*downs, Level("bottom", parts.bottom), *reversed(ups)]

    def skips(self) -> Sequence[Skip]:
        """One at each level."""
        return [Skip(number, skip.carrier) for number, skip in enumerate(self._parts.skips, start=1)]


class _Carried(nn.Module):
    """What MONAI's skip connection does, with a module of its own for what it carries.

    The part around which the skip leads keeps its name, `submodule`, and so the names of weights are MONAI's.
    """

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.carrier = nn.Identity()
        self.submodule = submodule

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return torch.cat([self.carrier(features), self.submodule(features)], dim=1)


class _Parts(NamedTuple):
    """A U-Net's parts, each from the outermost."""

    downs: Sequence[nn.Module]
    skips: Sequence[_Carried]
    ups: Sequence[nn.Module]
    bottom: nn.Module


def _taken_apart(model: nn.Module, depth: int) -> _Parts:
    """The parts of MONAI's U-Net, whose levels lie in the skips of those further out; skips become `_Carried`."""
    downs: list[nn.Module] = []
    skips: list[_Carried] = []
    ups: list[nn.Module] = []
    for _ in range(depth):
        block = cast(nn.Sequential, model)
        down, skip, up = block
        model = cast(nn.Module, skip.submodule)
        block[1] = carried = _Carried(model)
        downs.append(down)
        skips.append(carried)
        ups.append(up)
    return _Parts(downs, skips, ups, bottom=model)
