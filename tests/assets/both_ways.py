"""A method that needs no pairs, predicts negatives, also the way back, and learns nothing of use; and its generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional as F

import genlab
from genlab import Batch, Network, Outputs, Phase, Term, Terms, WeightedLoss

genlab_interface = "1.0"


class Enlarging(genlab.Generator):
    """A convolution whose output is enlarged.

    Args:
        scale: how many times.
    """

    def __init__(self, in_channels: int, out_channels: int, *, scale: Annotated[int, Ge(1)] = 1) -> None:
        super().__init__()
        self.scale = scale
        self.size_multiple = 4
        self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, condition: Tensor) -> Tensor:
        return F.interpolate(self.layer(condition), scale_factor=self.scale)


class BothWays(genlab.Method):
    """Negatives, of as many channels as the other side has.

    Args:
        negatives: whether it predicts them; otherwise what the generator gives.
    """

    needs_pairs: ClassVar[bool] = False

    def __init__(
        self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss], *, negatives: bool = True
    ) -> None:
        super().__init__(networks, losses)
        self.negatives = negatives

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.networks["generator"](batch.condition).tanh()}

    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self.terms)]

    def terms(self, batch: Batch, outputs: Outputs) -> Terms:
        return {"style": Term((outputs["prediction"].mean() - batch.target.mean()).abs(), 1.0)}

    def predict(self, condition: Tensor) -> Tensor:
        given = self.networks["generator"](condition).tanh()
        gray = F.interpolate(condition.mean(dim=1, keepdim=True), scale_factor=self.networks["generator"].scale)
        return -gray.expand_as(given) if self.negatives else given

    def predict_condition(self, target: Tensor) -> Tensor:
        channels = self.networks["generator"].layer.in_channels
        gray = target.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
        return -F.avg_pool2d(gray, self.networks["generator"].scale)


class Brightness(genlab.Metric):
    """The mean of predictions, of which no pair is needed."""

    higher_is_better: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = False

    def __init__(self) -> None:
        self.reset()

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.values += prediction.mean(dim=(1, 2, 3)).tolist()

    def compute(self) -> float:
        return float(torch.tensor(self.values).mean())

    def reset(self) -> None:
        self.values: list[float] = []

    def merge(self, other: Brightness) -> None:
        self.values += other.values


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("enlarging", Enlarging)
    registry.method("both_ways", BothWays)
    registry.metric("brightness", Brightness)
