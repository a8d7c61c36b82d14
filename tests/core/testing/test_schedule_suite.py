"""The suite for schedules: it lets sound ones pass, and finds each mistake that is planted in one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.core.testing.conftest import Planted, failures, require_found, unproven

from genlab import Position, Schedule
from genlab.testing import ScheduleSuite


class Root(Schedule):
    """Falls as the root of what is left.

    Args:
        least: the least factor.
    """

    def __init__(self, *, least: float = 0.0) -> None:
        self.least = least

    def factor(self, position: Position) -> float:
        return max(self.least, math.sqrt(1 - position.progress))


class Silent(Root):
    """Says nothing of its setting."""

    def __init__(self, *, speed: float = 1.0) -> None:
        super().__init__()


class Starred(Root):
    """Takes anything."""

    def __init__(self, **more: Any) -> None:
        super().__init__()


class Below(Root):
    def factor(self, position: Position) -> float:
        return 0.5 - position.progress


class Dividing(Root):
    def factor(self, position: Position) -> float:
        return 1 / (position.steps - 1)


class Nothing(Root):
    def factor(self, position: Position) -> float:
        return None  # pyright: ignore


class Off(Root):
    """Whole numbers."""

    def factor(self, position: Position) -> float:
        return position.step // position.steps


class Counting(Root):
    """Counts its calls."""

    calls = 0

    def factor(self, position: Position) -> float:
        self.calls += 1
        return 1 / self.calls


class Following(Root):
    """Multiplies what it gave before."""

    given = 1.0

    def factor(self, position: Position) -> float:
        self.given = 1.0 if position.step == 0 else 0.9 * self.given
        return self.given


class Keeping(Root):
    """Keeps the length of the first training."""

    length = 0

    def factor(self, position: Position) -> float:
        self.length = self.length or position.steps
        return 1 / self.length


PLANTED = [
    Planted(Starred, "test_a_recipe_can_name_it", "takes `**more`"),
    Planted(Silent, "test_settings_have_help", "says nothing of `speed`"),
    Planted(Below, "test_a_factor_is_a_number", "a factor is -0"),
    Planted(Nothing, "test_a_factor_is_a_number", "a factor is None"),
    Planted(Dividing, "test_a_factor_is_a_number", "ZeroDivisionError"),
    Planted(Off, "test_a_training_learns", "in a training of 1 steps, all factors are 0"),
    Planted(Counting, "test_a_factor_is_a_function_of_the_position", "of 1 steps, it gives other factors"),
    Planted(Following, "test_a_factor_is_a_function_of_the_position", "a new schedule gives other factors later on"),
    Planted(Keeping, "test_a_factor_is_a_function_of_the_position", "other factors after those of another training"),
]


def test_a_sound_one_passes() -> None:
    assert failures(ScheduleSuite, Root) == {}
    assert failures(ScheduleSuite, Root, settings={"least": 0.1}) == {}


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_each_mistake_is_found(planted: Planted) -> None:
    require_found(ScheduleSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(ScheduleSuite, PLANTED) == set()
