"""The pace is right from the second step on, and pauses are no steps."""

from __future__ import annotations

import pytest

from genlab_listeners.step_time import StepTime


def steps(pace: StepTime, now: float, count: int, seconds: float) -> float:
    for _ in range(count):
        now += seconds
        pace.step(now)
    return now


def test_before_the_first_step_nothing_is_known() -> None:
    pace = StepTime(5.0)
    assert pace.seconds_per_step is None
    assert pace.seconds_for(10) is None


def test_after_one_step_its_time_is_all_there_is() -> None:
    pace = StepTime(100.0)
    pace.step(103.0)
    assert pace.seconds_per_step == pytest.approx(3.0)
    assert pace.seconds_for(10) == pytest.approx(30.0)


@pytest.mark.parametrize("seconds", [0.002, 0.5, 90.0])
def test_a_slow_first_step_is_forgotten_with_the_second(seconds: float) -> None:
    pace = StepTime(0.0)
    now = steps(pace, 0.0, 1, 25.0)
    steps(pace, now, 1, seconds)
    assert pace.seconds_per_step == pytest.approx(seconds)
    assert pace.seconds_for(7) == pytest.approx(7 * seconds)


def test_a_pause_counts_for_the_time_left_but_not_for_the_pace() -> None:
    pace = StepTime(0.0)
    now = steps(pace, 0.0, 11, 1.0)
    pace.pause(now + 30.0)
    steps(pace, now + 30.0, 10, 1.0)
    assert pace.seconds_per_step == pytest.approx(1.0)
    assert pace.seconds_for(20) == pytest.approx(50.0)


def test_the_pace_follows_a_change_within_two_minutes() -> None:
    pace = StepTime(0.0)
    now = steps(pace, 0.0, 1000, 0.1)
    steps(pace, now, 240, 0.5)
    assert pace.seconds_per_step == pytest.approx(0.5, rel=0.1)


def test_bursts_are_evened_out() -> None:
    """A GPU takes many steps at once, and then makes the one wait that reads its figures."""
    pace = StepTime(0.0)
    now = 0.0
    for _ in range(20):
        now = steps(pace, now, 9, 0.001)
        now = steps(pace, now, 1, 0.991)
        assert pace.seconds_per_step == pytest.approx(0.1, rel=0.25)
