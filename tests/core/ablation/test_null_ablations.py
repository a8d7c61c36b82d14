"""Simulated ablations without an effect: the error rate is as stated, and intervals contain the truth as often."""

from __future__ import annotations

import pytest
from tests.core.ablation.null_ablations import (
    NOISES,
    Simulated,
    called_while_adding_seeds,
    missed_range,
    most,
    simulate,
)

COUNT = 10_000


@pytest.fixture(scope="module", params=[3, 5], ids=lambda seeds: f"{seeds} seeds")
def simulated(request: pytest.FixtureRequest) -> Simulated:
    return simulate(COUNT, request.param, NOISES["normal"])


def test_in_at_most_one_of_twenty_is_any_arm_called_different(simulated: Simulated) -> None:
    assert simulated.called <= most(COUNT)


def test_an_interval_contains_the_truth_as_often_as_it_says(simulated: Simulated) -> None:
    fewest, most_missed = missed_range(COUNT)
    assert fewest <= simulated.missed_first <= most_missed


def test_a_verdict_and_its_interval_never_disagree(simulated: Simulated) -> None:
    assert simulated.called == simulated.missed > 0


def test_adding_seeds_until_there_is_a_verdict_makes_more_mistakes_as_the_page_says() -> None:
    assert called_while_adding_seeds(1000, 3, 10, NOISES["normal"]) > 2 * most(1000)
