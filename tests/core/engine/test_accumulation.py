"""Accumulation of gradients: an update over several batches is that over all of their pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.core.engine.test_exactness import contents, records

import genlab

SMOOTH = [
    "generator.dropout=0.0",
    "generator.norm=instance",
    "discriminator.norm=instance",
    # A squared difference has no kink, at which rounding decides the sign of a gradient.
    "losses={l1=false, l2={weight=10}}",
    # Updates in proportion to gradients: Adam's own divide rounding errors by their size.
    "optimizer.epsilon=1.0",
    "optimizer.learning_rate=0.02",
    "train.steps=3",
    "evaluate={validations=1, previews=1}",
]
CYCLEGAN = [
    "method={name='cyclegan', identity=0.5, pool_size=3}",
    "losses={l2=false, adversarial={objective='lsgan'}, cycle={name='l2', weight=10}}",
]
METHODS = {
    "pix2pix": [],
    "repeated and rare updates": ["method.discriminator_steps=3", "losses.r1.every=2"],
    "cyclegan": CYCLEGAN,
    "bridge": ["method={name='bridge'}", "generator.time=true", "losses.adversarial=false"],
}


def trained(tiny: Path, folder: Path, *assignments: str) -> Path:
    genlab.train(tiny, out=folder, overrides=[*SMOOTH, *assignments])
    return folder


def distance(one: Path, other: Path) -> float:
    """The largest difference of a weight, or of what a method carries, relative to the largest one of its tensor."""
    mine, yours = contents(one), contents(other)
    assert mine.keys() == yours.keys()
    names = [name for name in mine if ".optimizer." not in name and mine[name].numel()]
    return max(float((mine[name] - yours[name]).abs().max() / yours[name].abs().max().clamp_min(0.1)) for name in names)


def losses(run: Path) -> list[Any]:
    return [step["losses"] for step in records(run)]


@pytest.mark.parametrize("method", METHODS)
def test_two_batches_are_one_of_twice_the_size(tiny: Path, tmp_path: Path, method: str) -> None:
    two = trained(tiny, tmp_path / "two", *METHODS[method], "train.batch_size=2", "train.accumulate=2")
    one = trained(tiny, tmp_path / "one", *METHODS[method], "train.batch_size=4")
    assert distance(two, one) < 1e-4
    assert losses(two) == [pytest.approx(step, rel=1e-4) for step in losses(one)]


def test_the_comparison_can_fail(tiny: Path, tmp_path: Path) -> None:
    one = trained(tiny, tmp_path / "one", "train.batch_size=4")
    assert distance(trained(tiny, tmp_path / "other", "train.batch_size=2"), one) > 1e-3
