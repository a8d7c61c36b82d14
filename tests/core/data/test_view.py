"""Pictures of sides of every kind say which bands they show, between which values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genlab import DataError
from genlab.config.schema import Evaluate, Input
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_network
from genlab.data.view import PairViews, view_pairs
from genlab.interfaces.dataset import ImageSide, LabelSide
from genlab.testing.toys import MemoryPairs

LABELS = LabelSide(((9, 8, 7), (90, 80, 70)))


def prepared(bands: int, dtype: str, **settings: Any) -> PreparedPairs:
    """A pair of an image whose band of number n is n hundredths of its type's range, and a label map."""
    most = 1 if dtype == "float32" else np.iinfo(dtype).max
    image = np.broadcast_to(np.arange(1, bands + 1) * (most / 100), (4, 4, bands)).astype(dtype)
    pairs = MemoryPairs([image], [np.zeros((4, 4), np.uint8)], (ImageSide(bands), LABELS))
    return PreparedPairs(pairs, Input(**settings), (4, 4))


def views(pairs: PreparedPairs, **settings: Any) -> PairViews:
    return view_pairs(pairs, Evaluate(**settings))


PLAIN = [
    (1, "uint8", (1, 1, 1), ""),
    (2, "uint8", (1, 1, 1), "band 1 of 2"),
    (3, "uint8", (1, 2, 3), ""),
    (4, "uint8", (1, 2, 3), "bands 1 2 3 of 4"),
    (8, "uint16", (1, 2, 3), "bands 1 2 3 of 8, 0 to 65535"),
    (1, "uint16", (1, 1, 1), "0 to 65535"),
    (3, "uint16", (1, 2, 3), "0 to 65535"),
]


@pytest.mark.parametrize(("bands", "dtype", "shown", "caption"), PLAIN)
def test_the_first_bands_are_shown_unless_told_otherwise(
    bands: int, dtype: str, shown: tuple[int, ...], caption: str
) -> None:
    pairs = prepared(bands, dtype)
    view = views(pairs).condition
    assert view.caption == caption
    picture = view.picture(to_network(pairs[0].condition[None], view.side)[0])
    assert picture.shape == (4, 4, 3)
    np.testing.assert_allclose(picture[0, 0], np.array(shown) * 2.55, atol=1)


@pytest.mark.parametrize(
    ("chosen", "shown", "caption"), [((4, 3, 2), (4, 3, 2), "bands 4 3 2 of 8"), (8, (8, 8, 8), "band 8 of 8")]
)
def test_bands_can_be_chosen_and_count_from_1(chosen: Any, shown: tuple[int, ...], caption: str) -> None:
    pairs = prepared(8, "uint8")
    view = views(pairs, preview_bands_a=chosen).condition
    assert view.caption == caption
    picture = view.picture(to_network(pairs[0].condition[None], view.side)[0])
    np.testing.assert_allclose(picture[0, 0], np.array(shown) * 2.55, atol=1)


def test_the_range_of_a_side_is_black_to_white() -> None:
    pairs = prepared(1, "float32", range_a=(0, 0.02))
    view = views(pairs).condition
    assert view.caption == "0 to 0.02"
    picture = view.picture(to_network(pairs[0].condition[None], view.side)[0])
    assert picture[0, 0].tolist() == [128] * 3


def test_bands_belong_to_the_side_and_not_to_the_direction() -> None:
    pairs = prepared(4, "uint8", direction="b_to_a")
    found = views(pairs, preview_bands_a=(4, 3, 2))
    assert (found.condition.caption, found.target.caption) == ("", "bands 4 3 2 of 4")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"preview_bands_a": (3, 2, 9)}, r"evaluate.preview_bands_a has band 9, and side a has 8"),
        ({"preview_bands_a": 9}, r"evaluate.preview_bands_a has band 9"),
        ({"preview_bands_b": 1}, r"evaluate.preview_bands_b is set, but side b is a label map"),
    ],
)
def test_bands_that_are_not_there_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        views(prepared(8, "uint8"), **settings)
