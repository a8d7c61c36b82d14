"""Comparison of a checkpoint with that of the same step trained again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.engine.bounded_tensors import load_tensors
from genlab.engine.checkpoint_files import is_of_optimizer, role_of
from genlab.engine.checkpoint_state import IntactCheckpoint


class TensorDifference(NamedTuple):
    """A file of a checkpoint whose tensors differ.

    Args:
        file: its name.
        tensor: the first one that differs.
        relative: L2 norm of the file's differences, relative to that of its tensors; infinite for others than the
            run's, and where one is not finite.
    """

    file: str
    tensor: str
    relative: float

    @property
    def is_sensitive(self) -> bool:
        """True for the state of an optimizer, which rounding changes first, if it has the same tensors."""
        return is_of_optimizer(self.file) and math.isfinite(self.relative)

    def words(self, step: int) -> str:
        """The difference for people."""
        size = "another shape, missing or not finite" if math.isinf(self.relative) else f"L2 {self.relative:.3g} of it"
        return f"the checkpoint of step {step:,} differs in {self.file}, first in {self.tensor} ({size})"


def tensor_differences(recorded: IntactCheckpoint, again: IntactCheckpoint) -> Iterator[TensorDifference]:
    """The files of a run's checkpoint whose SHA-256 is another when it is trained again; networks first."""
    for name in sorted(recorded.digests, key=lambda name: (role_of(name) is None, name)):
        if again.digests.get(name) != recorded.digests[name]:
            there = load_tensors(again.path / name) if name in again.digests else {}
            yield _difference(name, load_tensors(recorded.path / name), there)


def _difference(file: str, recorded: Mapping[str, Tensor], again: Mapping[str, Tensor]) -> TensorDifference:
    squares, total, first = 0.0, 0.0, ""
    for name in sorted({*recorded, *again}):
        one, other = recorded.get(name), again.get(name)
        if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
            return TensorDifference(file, name, float("inf"))
        if not torch.equal(one, other):
            first = first or name
        squares += float((one.double() - other.double()).square().sum())
        total += float(one.double().square().sum())
    relative = (squares / total) ** 0.5 if total else float("inf") if squares else 0.0
    return TensorDifference(file, first or "its header", float("inf") if math.isnan(relative) else relative)
