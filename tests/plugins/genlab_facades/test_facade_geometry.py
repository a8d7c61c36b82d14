"""Boxes, outlines and random decisions: the little things that everything else is made of."""

from __future__ import annotations

import numpy as np
import pytest

from genlab_facades.dice import Dice
from genlab_facades.geometry import Box, polygon

BOX = Box(0.2, 0.1, 0.6, 0.9)
FORMS = ("flat", "arch", "segment", "round", "triangle", "steps", "curve", "mansard", "hip")


def area(points: list[tuple[float, float]]) -> float:
    x, y = np.array(points).T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_measures_of_a_box() -> None:
    assert (BOX.width, BOX.height, BOX.middle) == pytest.approx((0.4, 0.8, 0.4))


def test_boxes_made_from_a_box() -> None:
    assert BOX.part(0.25, 0.0, 1.25, 0.5) == pytest.approx((0.3, 0.1, 0.7, 0.5))
    assert BOX.inset(0.1) == pytest.approx((0.3, 0.2, 0.5, 0.8))
    assert BOX.inset(0.1, 0.0) == pytest.approx((0.3, 0.1, 0.5, 0.9))
    assert BOX.framed(0.1) == pytest.approx((0.1, 0.0, 0.7, 0.9))
    assert BOX.above(0.05, overhang=0.1) == pytest.approx((0.1, 0.05, 0.7, 0.1))
    assert BOX.below(0.05) == pytest.approx((0.2, 0.9, 0.6, 0.95))


@pytest.mark.parametrize("form", FORMS)
def test_outlines_fill_their_box_and_are_symmetrical(form: str) -> None:
    points = polygon(form, BOX)
    x, y = np.array(points).T
    assert (x.min(), y.min(), x.max(), y.max()) == pytest.approx(BOX, abs=1e-9)
    mirrored = {(round(2 * BOX.middle - px, 9), round(py, 9)) for px, py in points}
    assert mirrored == {(round(px, 9), round(py, 9)) for px, py in points}


@pytest.mark.parametrize(
    ("form", "share"), [("flat", 1.0), ("triangle", 0.5), ("round", np.pi / 4), ("hip", 0.84), ("mansard", 0.965)]
)
def test_outlines_have_the_area_of_their_form(form: str, share: float) -> None:
    assert area(polygon(form, BOX)) == pytest.approx(share * BOX.width * BOX.height, rel=0.03)


def test_a_round_arch_is_half_a_circle_on_posts() -> None:
    radius = BOX.width / 2
    expected = BOX.width * (BOX.height - radius) + np.pi / 2 * radius**2
    assert area(polygon("arch", BOX)) == pytest.approx(expected, rel=0.01)
    assert area(polygon("segment", BOX)) > area(polygon("arch", BOX))


def test_an_arch_in_a_low_box_stays_in_it() -> None:
    low = Box(0.0, 0.5, 1.0, 0.6)
    assert min(y for _, y in polygon("arch", low)) >= 0.5


def test_equal_seeds_and_streams_decide_equally() -> None:
    def decisions(*numbers: int) -> list[float]:
        dice = Dice(*numbers)
        return [dice.between(0.0, 1.0) for _ in range(5)]

    assert decisions(7, 0, 3) == decisions(7, 0, 3)
    others = [decisions(*numbers) for numbers in ((7, 0, 3), (7, 0, 4), (7, 1, 3), (8, 0, 3), (7,), (0, 7))]
    assert len({tuple(other) for other in others}) == 6


def test_decisions_keep_to_their_range() -> None:
    dice = Dice(1)
    assert {dice.count(2, 4) for _ in range(60)} == {2, 3, 4}
    assert {dice.pick("abc") for _ in range(60)} == {"a", "b", "c"}
    assert all(-2.0 <= dice.between(-2.0, 3.0) < 3.0 for _ in range(60))
    assert not any(dice.hits(0.0) for _ in range(60))
    assert all(dice.hits(1.0) for _ in range(60))
    assert 400 < sum(dice.hits(0.5) for _ in range(1000)) < 600


def test_noise_is_of_standard_size() -> None:
    noise = Dice(1).noise(100, 50)
    assert noise.shape == (100, 50)
    assert noise.dtype == np.float32
    assert (noise.mean(), noise.std()) == pytest.approx((0.0, 1.0), abs=0.05)
