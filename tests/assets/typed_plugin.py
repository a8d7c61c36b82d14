"""A plugin of what neither scaffolds nor examples have, for a type checker alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

import genlab
from genlab import (
    DISCRIMINATOR,
    GENERATOR,
    AdversarialLoss,
    Batch,
    Discriminator,
    Generator,
    ImageSide,
    Loss,
    Method,
    Network,
    Outputs,
    Pairs,
    Phase,
    Position,
    Role,
    Scored,
    Scores,
    SideImage,
    SideName,
    Split,
    Term,
    Terms,
    Unpaired,
    WeightedLoss,
)


class Velocity(Generator):
    def __init__(self, in_channels: int, out_channels: int, *, weights: Path | None = None) -> None:
        super().__init__()
        self.body = nn.Conv2d(in_channels + 1, out_channels, 3, padding=1)
        self.inputs = {"time": 1}
        self.feature_channels = [out_channels]
        self.weights = weights

    @override
    def forward(self, condition: Float[Tensor, "n c h w"], *, time: Float[Tensor, " n"]) -> Float[Tensor, "n d h w"]:
        return self.body(torch.cat([condition, time.reshape(-1, 1, 1, 1).expand_as(condition[:, :1])], dim=1))

    @override
    def features(self, *images: Tensor) -> Sequence[Tensor]:
        return [self.body(image) for image in images]

    @override
    def fingerprint(self) -> str | None:
        return None


class Critic(Discriminator):
    receptive_field = 3
    min_size = 1
    is_local = False

    def __init__(self, condition_channels: int, image_channels: int) -> None:
        super().__init__()
        self.body = nn.Conv2d(condition_channels + image_channels, 1, 3, padding=1)

    @override
    def forward(self, condition: Tensor, image: Tensor) -> Tensor | Scored:
        return self.body(torch.cat([condition, image], dim=1))

    @override
    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        return self(condition.repeat(len(images), 1, 1, 1), torch.cat(list(images))).chunk(len(images))


class Encoder(Network):
    def __init__(self, in_channels: Sequence[int], *, width: int = 3) -> None:
        super().__init__()
        self.body = nn.Conv2d(sum(in_channels), width, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.body(image)


class Distance(Loss):
    least_at_target = False
    predictions = "classes"

    def __init__(self, *, network: Network | None = None) -> None:
        super().__init__()
        self.network = network

    @override
    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target).abs().mean()


class Wasserstein(AdversarialLoss):
    is_mean = False

    @override
    def for_generator(self, scores: Scores) -> Tensor:
        return -scores.prediction.mean()

    @override
    def for_discriminator(self, scores: Scores) -> Tensor:
        return (scores.prediction - scores.target).mean()


class Averaged(Method):
    roles: ClassVar[Mapping[str, Role]] = {
        "generator": GENERATOR,
        "back": Role("generator", reads=("target",), gives="condition", like="generator"),
        "average": Role("generator", reads=("target", 1), gives=3, inputs=("time",), like="generator", trained=False),
        "discriminator": DISCRIMINATOR,
    }
    needs_pairs = False
    remembers_images = True

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        *,
        channels: Mapping[SideName, int],
        decay: float = 0.9,
    ) -> None:
        super().__init__(networks, losses)
        self.channels = channels
        self.decay = decay
        self.seen = torch.zeros(1)

    @override
    def begin(self, position: Position) -> None:
        self.progress = position.progress

    @override
    def forward(self, batch: Batch) -> Outputs:
        time = batch.draws.uniform("time", batch.target)
        return {"prediction": self.networks["generator"](batch.condition, time=time)}

    @override
    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator", "back"), self._terms, every=2, repeats=3, fresh=True)]

    def _terms(self, batch: Batch, outputs: Outputs) -> Terms:
        given = (batch.condition, batch.target, outputs["prediction"])
        return {
            label: Term(weighted.loss(*given), weighted.weight.at(batch.position))
            for label, weighted in self.losses.items()
            if isinstance(weighted.loss, Loss)
        }

    @override
    def updated(self, roles: Sequence[str]) -> None:
        newest = self.networks["generator"].parameters()
        for average, weight in zip(self.networks["average"].parameters(), newest, strict=True):
            average.lerp_(weight, 1 - self.decay)

    @override
    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["average"](condition).tanh()

    @override
    def predict_condition(self, target: Tensor) -> Tensor:
        return self.networks["back"](target).tanh()

    @override
    def state(self) -> Mapping[str, Tensor]:
        return {"seen": self.seen}

    @override
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.seen = state["seen"]


class Horses(genlab.Dataset):
    @override
    def open(self, split: Split) -> Pairs:
        return Images(ImageSide(), ImageSide(), f"horses and zebras ({split})")


class Images(Unpaired):
    @override
    def count_of(self, side: SideName) -> int:
        return {"a": 3, "b": 4}[side]

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        return SideImage(f"{side}{index}", np.zeros((3, 3, 3), np.uint8))


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("velocity", Velocity)
    registry.method("averaged", "genlab_stranger:Averaged", decay=0.99)


def score(out: Path) -> float:
    run = genlab.train("unet_facades", overrides=["train.steps=1"], out=out, plugins=["plugin.py"])
    prediction = run.predict(np.zeros((3, 3, 3), np.uint8), to="a")
    given = run.apply(torch.zeros(1, 3, 3, 3))
    assert prediction.shape == given.shape[2:]
    assert all(row.state == "ok" for row in genlab.list_plugins())
    return run.metrics["validation/l1"]
