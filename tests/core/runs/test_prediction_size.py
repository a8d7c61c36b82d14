"""Sizes that images are resized to before they are predicted."""

import re
from typing import Any

import pytest

from genlab import ArgumentError, PredictionSize
from genlab.runs.manifest import StoredPairs
from genlab.runs.prediction_size import size_to_predict

ONE = StoredPairs.of([(512, 256)] * 3, colored=True)
SEVERAL = StoredPairs.of([(512, 256), (256, 512), (100, 100)], colored=True)


@pytest.mark.parametrize(
    ("pairs", "stored", "size", "predicted"),
    [
        (ONE, (512, 256), "training", (64, 64)),
        (ONE, (1024, 256), "training", (128, 64)),
        (ONE, (100, 100), "training", (12, 25)),
        (ONE, (1, 1), "training", (1, 1)),
        (SEVERAL, (512, 256), "training", (64, 64)),
        (SEVERAL, (999, 9), "training", (64, 64)),
        (None, (512, 256), "training", (512, 256)),
        (ONE, (100, 100), "stored", (100, 100)),
        (ONE, (100, 100), 7, (7, 7)),
        (None, (100, 100), (7, 9), (7, 9)),
    ],
)
def test_height_and_width_have_the_factors_of_training(
    pairs: StoredPairs | None, stored: tuple[int, int], size: PredictionSize, predicted: tuple[int, int]
) -> None:
    assert size_to_predict(stored, size, pairs, (64, 64)) == predicted


@pytest.mark.parametrize(
    ("how", "pairs", "stored", "predicted"),
    [
        ("crop", ONE, (512, 256), (128, 64)),
        ("pad", ONE, (512, 256), (64, 32)),
        ("none", ONE, (512, 256), (512, 256)),
        ("crop", ONE, (100, 300), (25, 75)),
        ("crop", SEVERAL, (512, 256), (128, 64)),
        ("pad", SEVERAL, (512, 256), (64, 32)),
        ("none", SEVERAL, (99, 98), (99, 98)),
        ("pad", None, (512, 256), (512, 256)),
    ],
)
def test_the_scale_is_that_of_training_however_pairs_are_resized(
    how: Any, pairs: StoredPairs | None, stored: tuple[int, int], predicted: tuple[int, int]
) -> None:
    assert size_to_predict(stored, "training", pairs, (64, 64), how) == predicted


@pytest.mark.parametrize("size", ["large", 0, -4, (0, 7), (7, -1), True, 3.5, (64, 64.0), None])
def test_other_settings_are_refused(size: Any) -> None:
    with pytest.raises(ArgumentError, match=rf"^size: expected training, .*, got {re.escape(repr(size))}$"):
        size_to_predict((100, 100), size, ONE, (64, 64))


def test_pairs_of_several_sizes_are_recorded_by_their_extent() -> None:
    assert (SEVERAL.least, SEVERAL.most, SEVERAL.aspects) == ((100, 100), (512, 512), (0.5, 2.0))
    assert (ONE.only, SEVERAL.only) == ((512, 256), None)
