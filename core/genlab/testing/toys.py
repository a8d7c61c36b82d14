"""Toy components to train with: small, complete and fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from genlab.errors import DataError
from genlab.interfaces.batch import Batch
from genlab.interfaces.dataset import ImageSide, Pair, Pairs, Side
from genlab.interfaces.listener import Listener
from genlab.interfaces.loss import AdversarialLoss, Loss, Scores
from genlab.interfaces.method import Method, Outputs, Phase, Term, Terms, WeightedLoss
from genlab.interfaces.metric import Metric
from genlab.interfaces.network import Discriminator, Generator, Level, Network
from genlab.interfaces.role import DISCRIMINATOR, GENERATOR, FurtherInput, Role


class MemoryPairs(Pairs):
    """Pairs from two lists of arrays; it counts how often each is read, and cannot read those in `broken`.

    Args:
        a: the first sides.
        b: the second sides.
        sides: what they are.
        broken: the indices of pairs that raise a `DataError`.
        masks: which pixels of each pair count; unless given, all of all pairs.
    """

    def __init__(
        self,
        a: Sequence[NDArray[np.generic]],
        b: Sequence[NDArray[np.generic]],
        sides: tuple[Side, Side] = (ImageSide(), ImageSide()),
        broken: Sequence[int] = (),
        masks: Sequence[NDArray[np.bool_]] = (),
    ) -> None:
        super().__init__(*sides, "pairs in memory")
        self.masks = masks
        self.has_masks = len(masks) > 0
        self.arrays = list(zip(a, b, strict=True))
        self.broken = set(broken)
        self.reads = [0] * len(self.arrays)

    @override
    def __len__(self) -> int:
        return len(self.arrays)

    @override
    def __getitem__(self, index: int) -> Pair:
        self.reads[index] += 1
        if index in self.broken:
            raise DataError("cannot be read", where=f"pair {index}")
        return Pair(f"pair {index}", *self.arrays[index], self.masks[index] if self.has_masks else None)


class ToyGenerator(Generator):
    """Two convolutions, with everything whose state matters: batch norm, dropout, and a level without parameters.

    Args:
        channels: feature maps in between.
        inputs: further inputs of size 1, which are added to these.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        *,
        channels: Annotated[int, Ge(1)] = 4,
        inputs: Sequence[FurtherInput] = (),
    ) -> None:
        super().__init__()
        self.size_multiple = 4
        self.inputs = dict.fromkeys(inputs, 1)
        self.further = nn.ModuleDict({name: nn.Linear(1, channels) for name in inputs})
        self.inner = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(0.5)
        self.outer = nn.Conv2d(channels, out_channels, 3, padding=1)

    @override
    def forward(self, condition: Float[Tensor, "n c h w"], **inputs: Tensor) -> Float[Tensor, "n d h w"]:
        if any(side % self.size_multiple for side in condition.shape[-2:]):
            raise ValueError(f"expected a height and width that are multiples of 4, got {tuple(condition.shape[-2:])}")
        features = self.norm(self.inner(condition))
        for name, value in inputs.items():
            features = features + self.further[name](value.float().reshape(-1, 1))[..., None, None]
        return self.outer(self.dropout(features.relu()))

    @override
    def levels(self) -> Sequence[Level]:
        """The layers of images."""
        return [Level(name, module) for name, module in self.named_children() if module is not self.further]


class ToyDiscriminator(Discriminator):
    """One convolution of condition and image."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__()
        self.receptive_field, self.min_size = 3, 3
        self.layer = nn.Conv2d(condition_channels + image_channels, 1, 3)

    @override
    def forward(self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]) -> Float[Tensor, "n 1 i j"]:
        return self.layer(torch.cat([condition, image], dim=1))


class ToyNetwork(Network):
    """One convolution of all that it is given, joined."""

    def __init__(self, in_channels: Sequence[int] = (3,)) -> None:
        super().__init__()
        self.layer = nn.Conv2d(sum(in_channels), 4, 3, padding=1)

    @override
    def forward(self, *given: Float[Tensor, "n _ h w"]) -> Float[Tensor, "n 4 h w"]:
        return self.layer(torch.cat(given, dim=1))


class ToyLoss(Loss):
    """The mean absolute difference."""

    @override
    def forward(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        return (prediction - target).abs().mean()


class ToyAdversarialLoss(AdversarialLoss):
    """Squared distance of scores from 1 for real images, and from 0 for predictions."""

    @override
    def for_generator(self, scores: Scores) -> Float[Tensor, ""]:
        return (scores.prediction - 1).square().mean()

    @override
    def for_discriminator(self, scores: Scores) -> Float[Tensor, ""]:
        return (scores.target - 1).square().mean() + scores.prediction.square().mean()


class ToyMethod(Method):
    """A least-squares GAN, the discriminator first; `only` leaves out the phases that it does not name."""

    roles: ClassVar[Mapping[str, Role]] = {"generator": GENERATOR, "discriminator": DISCRIMINATOR}
    only: tuple[str, ...] = tuple(roles)

    def __init__(self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> None:
        super().__init__(networks, losses)
        if "discriminator" not in networks:
            raise ValueError("an adversarial training needs a discriminator")

    @override
    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    @override
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self.networks["generator"](condition).tanh()

    @override
    def phases(self) -> Sequence[Phase]:
        phases = [
            Phase("critic", ("discriminator",), self.critic_terms),
            Phase("painter", ("generator",), self.painter_terms),
        ]
        return [phase for phase in phases if phase.updates[0] in self.only]

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        """Least-squares terms of the discriminator."""
        judge = self.networks["discriminator"]
        real = judge(batch.condition, batch.target)
        predicted = judge(batch.condition, shared["prediction"].detach())
        return {"real": Term((real - 1).square().mean(), 0.5), "predicted": Term(predicted.square().mean(), 0.25)}

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        """Terms of the generator."""
        scores = self.networks["discriminator"](batch.condition, shared["prediction"])
        distance = (shared["prediction"] - batch.target).abs().mean()
        return {"game": Term((scores - 1).square().mean(), 1.0), "l1": Term(distance, 10.0)}


class ToyMetric(Metric):
    """The mean absolute difference, averaged over images."""

    higher_is_better: ClassVar[bool] = False

    def __init__(self) -> None:
        self.reset()

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        self.values += (prediction - target).abs().mean(dim=(1, 2, 3)).tolist()

    @override
    def compute(self) -> float | Mapping[str, float]:
        return sum(self.values) / len(self.values)

    @override
    def reset(self) -> None:
        self.values: list[float] = []

    @override
    def merge(self, other: ToyMetric) -> None:
        self.values += other.values


class Recorder(Listener):
    """Remembers every event."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def hear(self, event: Any) -> None:
        """Record an event."""
        self.events.append(event)

    started = step = previewed = validated = checkpoint_saved = ended = compared = probed = hear

    def of(self, kind: type) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]
