"""Small parts to train with, all in memory: pairs, networks, a method, a metric and a listener that remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from genlab import (
    Batch,
    DataError,
    Discriminator,
    Ended,
    Generator,
    ImageSide,
    Listener,
    Method,
    Metric,
    Network,
    Pair,
    Pairs,
    Phase,
    Shared,
    Side,
    Started,
    Term,
    Terms,
)
from genlab.data.augment import load_size
from genlab.data.prepared import PreparedPairs
from genlab.engine.experiment import Experiment
from genlab.engine.loop import train
from genlab.engine.seeding import initialize
from genlab.settings import Checkpoint, Evaluate, Inference, Input, Optimizer, Schedule, Settings, Train

CPU = torch.device("cpu")


class MemoryPairs(Pairs):
    """Pairs from two lists of arrays; it counts how often each is read, and cannot read those in `broken`."""

    def __init__(
        self,
        a: Sequence[NDArray[np.generic]],
        b: Sequence[NDArray[np.generic]],
        sides: tuple[Side, Side] = (ImageSide(), ImageSide()),
        broken: Sequence[int] = (),
    ) -> None:
        super().__init__(*sides, "pairs in memory")
        self.arrays = list(zip(a, b, strict=True))
        self.broken = set(broken)
        self.reads = [0] * len(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> Pair:
        self.reads[index] += 1
        if index in self.broken:
            raise DataError("cannot be read", where=f"pair {index}")
        return Pair(f"pair {index}", *self.arrays[index])


def noise(count: int, *shape: int, seed: int = 0, dtype: type[np.generic] = np.uint8) -> list[NDArray[np.generic]]:
    """Arrays of random values over the whole range of an integer type."""
    high = int(np.iinfo(dtype).max) + 1
    return list(np.random.default_rng(seed).integers(0, high, (count, *shape), dtype=dtype))


def pictures(count: int, height: int = 8, width: int = 8, seed: int = 0, **more: Any) -> MemoryPairs:
    """Pairs of images without any pattern."""
    return MemoryPairs(noise(count, height, width, 3, seed=seed), noise(count, height, width, 3, seed=seed + 1), **more)


class ToyGenerator(Generator):
    """Everything whose state matters: batch norm, dropout, and a level without parameters."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(0.5)
        self.outer = nn.Conv2d(channels, 3, 3, padding=1)

    @property
    def size_multiple(self) -> int:
        return 4

    def forward(self, condition: Tensor) -> Tensor:
        if any(side % self.size_multiple for side in condition.shape[-2:]):
            raise ValueError(f"{tuple(condition.shape[-2:])} is no multiple of 4")
        return self.outer(self.dropout(self.norm(self.inner(condition)).relu())).tanh()


class ToyDiscriminator(Discriminator):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(6, 1, 3)

    @property
    def receptive_field(self) -> int:
        return 3

    @property
    def least_size(self) -> int:
        return 3

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.layer(torch.cat([condition, image], dim=1))


class ToyMethod(Method):
    """A least-squares GAN, the discriminator first; `only` leaves out the phases that it does not name."""

    roles: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    only: tuple[str, ...] = roles

    def forward(self, batch: Batch) -> Shared:
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition)

    def phases(self) -> Sequence[Phase]:
        phases = [
            Phase("critic", ("discriminator",), self.critic_terms),
            Phase("painter", ("generator",), self.painter_terms),
        ]
        return [phase for phase in phases if phase.updates[0] in self.only]

    def critic_terms(self, batch: Batch, shared: Shared) -> Terms:
        judge = self.networks["discriminator"]
        real = judge(batch.condition, batch.target)
        predicted = judge(batch.condition, shared["prediction"].detach())
        return {"real": Term((real - 1).square().mean(), 0.5), "predicted": Term(predicted.square().mean(), 0.25)}

    def painter_terms(self, batch: Batch, shared: Shared) -> Terms:
        scores = self.networks["discriminator"](batch.condition, shared["prediction"])
        distance = (shared["prediction"] - batch.target).abs().mean()
        return {"game": Term((scores - 1).square().mean(), 1.0), "l1": Term(distance, 10.0)}


class Distance(Metric):
    """The mean absolute error over images."""

    better = "lower"

    def __init__(self) -> None:
        self.reset()

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.values += (prediction - target).abs().mean(dim=(1, 2, 3)).tolist()

    def compute(self) -> float:
        return sum(self.values) / len(self.values)

    def reset(self) -> None:
        self.values: list[float] = []


class Recorder(Listener):
    """Remembers every event."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def hear(self, event: Any) -> None:
        self.events.append(event)

    started = step = previewed = validated = checkpoint_saved = ended = hear

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def networks(seed: int = 0) -> dict[str, Network]:
    """A generator and a discriminator with the first weights of a run."""
    torch.manual_seed(seed)
    made: dict[str, Network] = {"generator": ToyGenerator(), "discriminator": ToyDiscriminator()}
    for role, network in made.items():
        initialize(network, seed, role)
    return made


def batch(count: int = 2, size: int = 8, seed: int = 1) -> Batch:
    values = 2 * torch.rand(2, count, 3, size, size, generator=torch.Generator().manual_seed(seed)) - 1
    return Batch(*values)


def settings(seed: int = 0, **tables: Mapping[str, Any]) -> Settings:
    """A recipe's tables: eight steps on crops of 8 x 8, values read at each; the given keys are laid over that."""
    first: dict[str, dict[str, Any]] = {
        "input": {"size": 8, "jitter": 0.5, "flip": True},
        "schedule": {"name": "linear"},
        "train": {"steps": 8, "values_every": 1},
        "evaluate": {"previews": 2, "validations": 2, "preview_pairs": 2},
    }
    kinds = {
        "input": Input,
        "optimizer": Optimizer,
        "schedule": Schedule,
        "train": Train,
        "inference": Inference,
        "evaluate": Evaluate,
        "checkpoint": Checkpoint,
    }
    return Settings(
        seed=seed, **{name: kind(**(first.get(name, {}) | dict(tables.get(name, {})))) for name, kind in kinds.items()}
    )


def experiment(
    *listeners: Listener, pairs: Pairs | None = None, method: type[Method] = ToyMethod, seed: int = 0, **tables: Any
) -> Experiment:
    """Five training pairs and three to validate, as the framework puts them together; a fresh one each time."""
    chosen = settings(seed, **tables)
    training = pairs or pictures(5, 12, 12)
    size = chosen.input.height_width
    made = networks(seed)
    torch.manual_seed(seed)
    return Experiment(
        settings=chosen,
        method=method(made, {}),
        training=PreparedPairs(training, chosen.input, load_size(chosen.input)),
        validation=PreparedPairs(pictures(3, 12, 12, seed=7), chosen.input, size),
        unaugmented=PreparedPairs(training, chosen.input, size),
        metrics={"distance": Distance()},
        listeners=[(f"listener {number}", listener) for number, listener in enumerate(listeners, start=1)],
        device=CPU,
    )


def run(made: Experiment, folder: Path, *, stop_at: int | None = None, resume: bool = False) -> Ended:
    """Train in a folder, from the start or on from its last checkpoint."""
    folder.mkdir(exist_ok=True)
    last = sorted((folder / "checkpoints").glob("[0-9]*"))[-1] if resume else None
    train_settings = made.settings.train
    step = int(last.name) if last else 0
    started = Started(folder, "Toy", "", {}, step, train_settings.steps, train_settings.batch_size)
    return train(made, started, last, stop_at)
