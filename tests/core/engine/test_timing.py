import time

import pytest

from genlab.engine import timing
from genlab.engine.timing import StepTimer, due


def occasions(steps: int, times: int) -> list[int]:
    return [step for step in range(1, steps + 1) if due(step, steps, times)]


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10, 99, 1000])
@pytest.mark.parametrize("times", [1, 2, 3, 7, 10, 64, 999])
def test_as_many_occasions_as_asked_for_evenly_spread_the_last_at_the_end(steps, times):
    found = occasions(steps, times)
    assert len(found) == min(steps, times)
    assert found[-1] == steps
    gaps = [later - earlier for earlier, later in zip([0, *found], found, strict=False)]
    assert max(gaps) - min(gaps) <= 1


def test_more_occasions_than_steps_are_one_at_each_step():
    assert occasions(4, 20) == [1, 2, 3, 4]


def test_ten_of_eighty_thousand():
    assert occasions(80_000, 10) == [8000 * number for number in range(1, 11)]


class Time:
    """A clock that is set by hand, in the place of the module `time`."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock_time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock_time = Time()
    monkeypatch.setattr(timing, "time", clock_time)
    return clock_time


def take_step(timer, clock_time, seconds=0.0):
    with timer.stepping():
        clock_time.now += seconds


def test_images_per_second_since_it_was_last_asked(clock_time):
    timer = StepTimer(batch_size=4)
    for seconds, steps, rate in [(2.0, 1, 2.0), (1.0, 3, 12.0), (5.0, 0, 0.0)]:
        for _ in range(steps):
            take_step(timer, clock_time)
        clock_time.now += seconds
        assert timer.throughput().images_per_second == pytest.approx(rate)


def test_where_the_time_went_since_it_was_last_asked(clock_time):
    timer = StepTimer(batch_size=1)
    for waited, stepped, rest in [(1.0, 6.0, 3.0), (0.0, 1.0, 0.0), (2.0, 0.0, 2.0)]:
        with timer.waiting():
            clock_time.now += waited
        take_step(timer, clock_time, stepped)
        clock_time.now += rest
        throughput = timer.throughput()
        assert throughput.seconds == pytest.approx(waited + stepped + rest)
        assert throughput.waiting == pytest.approx(waited / throughput.seconds)
    assert timer.waited == pytest.approx(3.0)
    assert timer.stepped == pytest.approx(7.0)


def test_time_aside_does_not_slow_the_rate_down(clock_time):
    timer = StepTimer(batch_size=1)
    clock_time.now += 1
    take_step(timer, clock_time)
    with timer.aside():
        clock_time.now += 50
    clock_time.now += 1
    take_step(timer, clock_time)
    assert timer.throughput().images_per_second == pytest.approx(1.0)
    assert timer.seconds() == pytest.approx(52)


def test_blocks_aside_may_lie_in_each_other(clock_time):
    timer = StepTimer(batch_size=1)
    clock_time.now += 1
    with timer.aside():
        clock_time.now += 20
        with timer.aside():
            clock_time.now += 30
    take_step(timer, clock_time, 1)
    assert timer.throughput().seconds == pytest.approx(2.0)


def test_two_readings_at_the_same_moment_are_no_division_by_zero(clock_time):
    timer = StepTimer(batch_size=1)
    assert timer.throughput().images_per_second == 0
    take_step(timer, clock_time)
    assert timer.throughput().images_per_second > 0


def test_minutes_since_the_last_checkpoint(clock_time):
    timer = StepTimer(batch_size=1)
    clock_time.now += 90
    assert timer.minutes_since_save() == pytest.approx(1.5)
    timer.saved()
    clock_time.now += 30
    assert timer.minutes_since_save() == pytest.approx(0.5)
    assert timer.seconds() == pytest.approx(120)


def test_the_clock_measures_real_time():
    timer = StepTimer(batch_size=1)
    time.sleep(0.02)
    assert 0.02 <= timer.seconds() < 2
