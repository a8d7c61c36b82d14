import math
import re
from itertools import pairwise

import pytest

from genlab.drawing.curves import draw_curves, stack
from genlab.interfaces.listener import Interval


def texts(drawing: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", drawing)


def flat(*values: float) -> dict[int, Interval]:
    return {place: Interval(value, value, value) for place, value in enumerate(values, start=1)}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.0174, 0.1329, ["0.025", "0.05", "0.075", "0.1", "0.125"]),
        (-3e4, 12e4, ["0", "50000", "100000"]),
        (0.5, 0.5, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_the_vertical_axis_has_round_numbers(low: float, high: float, expected: list[str]):
    found = texts(draw_curves({"one": flat(low, high)}, "value"))
    assert found[: len(expected)] == expected


def test_few_places_are_all_named_and_many_are_not():
    assert {"1", "2", "3"} <= set(texts(draw_curves({"one": flat(1, 2, 4)}, "value", "level")))
    many = texts(draw_curves({"one": {place: Interval(0, 1, 2) for place in range(0, 1001, 10)}}, "value"))
    assert {"0", "200", "1000"} <= set(many)
    assert "10" not in many


def test_a_curve_has_its_color_and_its_name_at_its_end_in_every_drawing():
    drawings = [draw_curves({"a < b": flat(1, 2), "other": flat(3, 4)}, name) for name in ("first", "second")]
    whole = stack(drawings, ["a < b", "other"])
    assert texts(whole).count("a &lt; b") == texts(whole).count("other") == 2
    assert whole.count("<polyline") == 4
    assert len(re.findall(r'<polyline[^>]* stroke="#d55e00"', whole)) == 2
    assert len(re.findall(r'<path[^>]* stroke="#d55e00"', whole)) == 2


def test_names_of_curves_that_end_alike_do_not_overlap():
    drawing = draw_curves({f"arm {number}": flat(1, 2 + 1e-3 * number) for number in range(30)}, "value")
    ends = sorted(float(y) for y in re.findall(r'y="([\d.]+)">arm', drawing))
    assert len(ends) == 30
    assert min(after - before for before, after in pairwise(ends)) > 13
    (height,) = re.findall(r'viewBox="0 0 \d+ (\d+)"', drawing)
    assert ends[-1] < float(height)


def test_curves_of_one_color_differ_in_their_dashes():
    drawing = draw_curves({f"arm {number}": flat(1, 2) for number in range(9)}, "value")
    first, ninth = re.findall(r'<polyline[^>]* stroke="#0072b2"[^>]*>', drawing)
    assert ("dasharray" in first, "dasharray" in ninth) == (False, True)


def test_a_long_name_is_shortened_and_shown_whole_to_the_pointer():
    name = "arm_" * 30 + "end"
    drawing = draw_curves({name: flat(1, 2)}, "value")
    assert f"<title>{name}</title>" in drawing
    assert re.search(">arm_[^<]*…[^<]*end<", drawing)


def test_of_nothing_nothing_is_drawn():
    assert draw_curves({}, "value") == ""


@pytest.mark.parametrize("values", [(math.nan, 1.0, 2.0), (1.0, math.inf, 2.0), (1.0, 2.0, math.nan)])
def test_what_is_no_number_is_left_out(values: tuple[float, ...]):
    drawing = draw_curves({"one": flat(*values)}, "value")
    assert drawing.count("<circle") == 2
    assert "nan" not in drawing
    assert draw_curves({"one": flat(math.nan)}, "value") == ""
