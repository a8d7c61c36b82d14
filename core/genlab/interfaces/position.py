"""Position in a training, and what is drawn there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Position(NamedTuple):
    """Position in a training.

    Args:
        step: how many steps are done.
        steps: the length of the training.
    """

    step: int = 0
    steps: int = 1

    @property
    def progress(self) -> float:
        """Share of the training that is done, from 0 to below 1."""
        return self.step / self.steps

    def is_due(self, every: int) -> bool:
        """True if what takes part in each so many steps takes part in the next one."""
        return (self.step + 1) % every == 0


@dataclass(frozen=True)
class Draws:
    """Random numbers for a batch: a function of the seed, of each sample's position in the training, and of a name.

    They do not depend on how a batch is divided among devices, on what was drawn before, or on where a run was
    resumed. The same name gives the same numbers; an update that is repeated with the same batch has others.

    Args:
        seed: the run's.
        samples: the position of each sample of the batch in the order of the training.
        repeat: which of the updates with this batch it is, from 0.
    """

    seed: int = 0
    samples: tuple[int, ...] = ()
    repeat: int = 0

    def normal(self, name: str, like: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Draw from a standard normal distribution, in the shape, type and device of a tensor of the batch."""
        rows = [torch.randn(like.shape[1:], generator=rng) for rng in self._generators(name, like.shape[0])]
        return torch.stack(rows).to(like)

    def uniform(self, name: str, like: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        """Draw a number in [0, 1) for each image of a batch, in the type and on the device of one of its tensors."""
        rows = [torch.rand((), generator=rng) for rng in self._generators(name, like.shape[0])]
        return torch.stack(rows).to(like)

    def repeated(self, repeat: int) -> Draws:
        """Draws for a repeated update with the same batch."""
        return replace(self, repeat=repeat)

    def _generators(self, name: str, count: int) -> list[torch.Generator]:
        samples = self.samples or tuple(range(count))
        if len(samples) != count:
            raise ValueError(f"expected a tensor of {len(samples)} samples, got {count}")
        return [torch.Generator().manual_seed(self._key(name, sample)) for sample in samples]

    def _key(self, name: str, sample: int) -> int:
        parts = repr((self.seed, name, sample, self.repeat))
        return int.from_bytes(hashlib.sha256(parts.encode()).digest()[:8], "big") >> 1
