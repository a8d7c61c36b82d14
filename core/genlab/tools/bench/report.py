"""Results of a benchmark."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """Measurements of one implementation of a training step.

    Args:
        seconds: of each step that was measured, in the order of the rounds.
        first_step: seconds that the first step took, with all that it sets up.
        memory: the most bytes that the process (on a GPU: its tensors) had in use.
        shares: of a step's time by its parts, from 0 to 1; empty where parts cannot be told apart.
    """

    seconds: tuple[float, ...]
    first_step: float
    memory: int
    shares: Mapping[str, float]

    @property
    def median(self) -> float:
        """Seconds of a step."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the seconds of a step."""
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return low, high


@dataclass(frozen=True)
class Benchmark:
    """Benchmark of a recipe's training step against the plain implementation.

    Args:
        recipe: name of the recipe.
        device: display name of the device.
        batch_size: pairs in a step.
        size: height and width that the networks see, in pixels.
        flops: floating-point operations of a step, counted in the plain implementation.
        matrix_rate: operations per second of a large matrix product, the median of those between the rounds.
        reference: the plain implementation.
        genlab: the training loop with all that the recipe has it do at each step; see `loop`.
        waiting: the share of the loop's time that went into waiting for pairs.
        loop: the share of it that went neither into that nor into the step: events, logging, progress. None on a GPU,
            where it overlaps the step.
        machine: the machine.
        versions: versions of the libraries.
        date: date in ISO 8601.
    """

    recipe: str
    device: str
    batch_size: int
    size: tuple[int, int]
    flops: int
    matrix_rate: float
    reference: Measurement
    genlab: Measurement
    waiting: float
    loop: float | None
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    date: str

    @property
    def speedups(self) -> list[float]:
        """Speedup of genlab round by round: what slows the machine down slows both."""
        return [plain / ours for plain, ours in zip(self.reference.seconds, self.genlab.seconds, strict=True)]

    @property
    def speedup(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.speedups)

    @property
    def speedup_quartiles(self) -> tuple[float, float]:
        """First and third quartile of the speedup over rounds."""
        low, _, high = statistics.quantiles(self.speedups, n=4)
        return low, high

    def images_per_second(self, side: Measurement) -> float:
        """Throughput of a side, in images per second."""
        return self.batch_size / side.median

    def utilization(self, side: Measurement) -> float:
        """Model FLOP utilization: of the rate that a matrix product reaches, the share that the plain operations do."""
        return self.flops / side.median / self.matrix_rate

    def as_json(self) -> dict[str, Any]:
        """All values, with those derived from them."""
        return {
            **asdict(self),
            **{name: {**asdict(side), **self._derived(side)} for name, side in self._sides().items()},
            "speedup": self.speedup,
            "speedup_quartiles": self.speedup_quartiles,
        }

    def _sides(self) -> dict[str, Measurement]:
        return {"reference": self.reference, "genlab": self.genlab}

    def _derived(self, side: Measurement) -> dict[str, Any]:
        return {
            "median": side.median,
            "spread": side.spread,
            "images_per_second": self.images_per_second(side),
            "utilization": self.utilization(side),
        }
