"""Factors of the learning rate."""

import math

import pytest

from genlab import Position
from genlab_optimizers.constant import Constant
from genlab_optimizers.cosine import Cosine
from genlab_optimizers.linear import Linear
from genlab_optimizers.steps import Steps


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), {0: 1, 50: 1, 99: 1}),
        (Linear(), {0: 1, 49: 1, 50: 1, 51: 0.98, 75: 0.5, 99: 0.02}),
        (Linear(start=0.0), {0: 1, 25: 0.75, 99: 0.01}),
        (Linear(end=0.1), {50: 1, 75: 0.55, 99: 0.118}),
        (Cosine(), {0: 1, 50: 1, 75: 0.5, 99: (1 + math.cos(0.98 * math.pi)) / 2}),
        (Cosine(start=0.0, end=0.2), {0: 1, 25: 0.2 + 0.4 * (1 + math.sqrt(0.5)), 50: 0.6}),
        (Steps(), {0: 1, 49: 1, 50: 0.1, 74: 0.1, 75: 0.01, 99: 0.01}),
        (Steps(at=[0.9, 0.1], factor=0.5), {9: 1, 10: 0.5, 90: 0.25}),
        (Steps(at=[1.0], factor=0.0), {99: 1}),
    ],
)
def test_the_factor_over_a_hundred_steps(schedule, factors):
    assert {step: schedule.factor(Position(step, 100)) for step in factors} == pytest.approx(factors)


@pytest.mark.parametrize("schedule", [Linear(start=0.3), Cosine(start=0.3), Steps()])
@pytest.mark.parametrize("steps", [1, 2, 7, 80_000])
def test_a_decaying_rate_never_rises_and_never_ends_before_the_training(schedule, steps):
    factors = [schedule.factor(Position(step, steps)) for step in range(steps)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 1
    assert factors[-1] > 0
