"""What a training learns, by the losses of its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import genlab

Losses = Sequence[Mapping[str, float]]


def losses(recipe: Path, out: Path, *assignments: str) -> Losses:
    """Train, and give each term's value at each step."""
    genlab.train(recipe, out=out, overrides=["train.values_every=1", *assignments])
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["losses"] for line in lines if line["event"] == "step"]


def assert_learned_alike(one: Losses, other: Losses, *, steps: int = 50, within: float = 0.05) -> None:
    """Single steps part ways, as those of any two roundings do in a GAN; means over 50 steps stay close."""
    assert len(one) == len(other) >= steps and len(one) % steps == 0
    for first in range(0, len(one), steps):
        for term in one[0]:
            means = [sum(step[term] for step in run[first : first + steps]) / steps for run in (one, other)]
            assert means[1] == pytest.approx(means[0], rel=within), (term, first)
