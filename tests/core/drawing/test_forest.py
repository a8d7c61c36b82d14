import math
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from genlab.drawing.forest import ForestRow, draw_forest

SVG = "{http://www.w3.org/2000/svg}"
DOTS = (0.1, 0.2, 0.4)


def row(dots: Sequence[float] = DOTS, low: float | None = 0.05, high: float | None = 0.4) -> ForestRow:
    mean = sum(dots) / len(dots)
    return ForestRow({f"seed {n}": dot for n, dot in enumerate(dots)}, mean, low, high, ["worse", f"{mean:+.4g}"])


def drawn(rows: dict[str, ForestRow], *, higher_is_better: bool = False) -> ET.Element:
    return ET.fromstring(draw_forest(rows, "validation/l1: difference from skips", "skips", higher_is_better))


def texts(drawing: ET.Element) -> list[str]:
    return [element.text or "" for element in drawing.iter(f"{SVG}text")]


def zero(drawing: ET.Element) -> float:
    (label,) = [element for element in drawing.iter(f"{SVG}text") if element.text == "0"]
    return float(label.get("x", "nan"))


def test_a_row_has_its_name_its_words_and_a_dot_for_each_seed() -> None:
    drawing = drawn({"no<skips": row(), "other": row((-0.1, 0.1))})
    assert {"no<skips", "other", "skips", "worse", "validation/l1: difference from skips"} <= set(texts(drawing))
    dots = list(drawing.iter(f"{SVG}circle"))
    assert [dot.findtext(f"{SVG}title") for dot in dots[:3]] == ["seed 0: +0.1", "seed 1: +0.2", "seed 2: +0.4"]
    assert len(dots) == 5
    places = [float(dot.get("cx", "nan")) for dot in dots]
    assert zero(drawing) < places[0] < places[1] < places[2]
    assert places[3] < zero(drawing) < places[4]


@pytest.mark.parametrize(
    ("higher_is_better", "heads"), [(True, {"← worse", "better →"}), (False, {"← better", "worse →"})]
)
def test_the_better_side_is_marked(higher_is_better: bool, heads: set[str]) -> None:
    drawing = drawn({"arm": row((-0.2, 0.1))}, higher_is_better=higher_is_better)
    assert heads <= set(texts(drawing))
    side = list(drawing.iter(f"{SVG}rect"))[1]
    begin, end = float(side.get("x", "nan")), float(side.get("x", "nan")) + float(side.get("width", "nan"))
    assert (begin if higher_is_better else end) == pytest.approx(zero(drawing), abs=0.1)


def test_a_screen_reader_is_told_the_figures() -> None:
    assert "no-skips worse, +0.2333" in str(drawn({"no-skips": row()}).get("aria-label"))


def test_a_difference_without_an_interval_has_its_dots_and_one_that_is_not_finite_the_finite_ones() -> None:
    lost = ForestRow({"seed 0": 0.1, "seed 1": math.nan}, math.nan, None, None, ["not finite"])
    drawing = drawn({"one": row((0.1,), None, None), "lost": lost})
    assert len(list(drawing.iter(f"{SVG}circle"))) == 2
    assert "nan" not in ET.tostring(drawing, "unicode")


def test_of_nothing_finite_nothing_is_drawn() -> None:
    assert draw_forest({"lost": row((math.nan,), None, None)}, "", "", True) == ""
    assert draw_forest({"apart": ForestRow({}, math.nan, None, None, ["no seed"])}, "", "", True) == ""


def test_differences_that_are_all_zero_are_drawn() -> None:
    drawing = drawn({"same": row((0.0, 0.0), None, None)})
    assert {float(dot.get("cx", "nan")) for dot in drawing.iter(f"{SVG}circle")} == {zero(drawing)}


def test_an_interval_that_is_far_wider_than_its_dots_is_cut_off_with_arrows() -> None:
    """Such as with two seeds, where it would squeeze the dots of all arms into one place."""
    drawing = drawn({"arm": row((0.1, 0.2), -100, 100), "other": row((0.2, 0.3), 0.1, 0.35)})
    dots = [float(dot.get("cx", "nan")) for dot in drawing.iter(f"{SVG}circle")]
    assert dots[1] - dots[0] > 10
    arrows = [path for path in drawing.iter(f"{SVG}path") if "l-7 5" in str(path.get("d"))]
    assert len(arrows) == 1


def test_a_long_name_takes_several_lines_and_loses_nothing() -> None:
    name = "a_very_long_arm_that_axes_make_batch=16_lr=0.0002_skips=false"
    found = texts(drawn({name: row()}))
    assert name not in found
    assert name in "".join(found)
