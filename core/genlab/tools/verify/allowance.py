"""Limit of how far values may be off when steps are trained again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from genlab.assemble.recipe import Recipe
from genlab.runs.manifest import Manifest
from genlab.tools.verify.checkpoint_difference import TensorDifference
from genlab.tools.verify.step_values import ValueDifference

_Difference = TypeVar("_Difference", ValueDifference, TensorDifference)

_TOLERANCE = 0.05
"""Of what differs by its device, machine or PyTorch; docs/verify.md has what was measured."""


class Allowance(NamedTuple):
    """Limit of how far values may be off.

    Args:
        relative: the largest relative difference; 0 for none.
        reason: why there may be one.
    """

    relative: float
    reason: str

    def find_wrong(self, differences: Iterable[_Difference]) -> list[_Difference]:
        """Those of some differences that are not allowed: all of them, or those above the limit."""
        if not self.relative:
            return list(differences)
        return [it for it in differences if not it.is_sensitive and it.relative > self.relative]

    def words(self, differences: Sequence[ValueDifference | TensorDifference]) -> str:
        """Distance of values from the recorded ones, for people."""
        if not differences:
            return "equal to the last bit"
        largest = max((it.relative for it in differences if not it.is_sensitive), default=0.0)
        without = "; gradient norms, gaps and optimizers' states, which are more sensitive, are not compared"
        return f"within {largest:.2g} relative; allowed: {self.limit}{without}"

    @property
    def limit(self) -> str:
        """The limit for people."""
        return f"{self.relative:g} relative, as {self.reason}"


def find_allowance(
    manifest: Manifest,
    recipe: Recipe,
    machine: Mapping[str, str],
    versions: Mapping[str, str],
    tolerance: float | None,
) -> Allowance:
    """Limit of how far values may be off here.

    Args:
        manifest: the run's.
        recipe: as it is trained here.
        machine: this one.
        versions: of the libraries here.
        tolerance: what was asked for.
    """
    train = recipe.settings.train
    reasons = [
        f"{word} ({known.get(name)} when trained, {here.get(name)} here)"
        for word, name, known, here in (
            ("another device or number of threads", "device", manifest.machine, machine),
            ("another machine", "host", manifest.machine, machine),
            ("another version of PyTorch", "torch", manifest.versions, versions),
        )
        if known.get(name) != here.get(name)
    ]
    if train.device != "cpu":
        reasons.insert(0, f"{train.device} does not give the same bits each time")
    if tolerance is not None:
        return Allowance(tolerance, "; ".join(reasons) or "as asked for")
    return Allowance(_TOLERANCE if reasons else 0.0, "; ".join(reasons))
