import itertools
import math

import numpy as np
import pytest

from genlab.drawing.svg import separated, shortened, text_width


def test_places_that_are_far_apart_stay() -> None:
    assert separated([10, 90, 50], 14, 0, 100) == [10, 90, 50]


def test_places_move_apart_in_their_order_and_stay_within_the_drawing() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        places = random.uniform(0, 200, size=10).tolist()
        found = separated(places, 14, 0, 200)
        ordered = [found[index] for index in np.argsort(places)]
        assert all(after - before > 14 - 1e-6 for before, after in itertools.pairwise(ordered))
        assert -1e-6 < ordered[0] < ordered[-1] < 200 + 1e-6


def test_places_that_meet_move_to_both_sides_alike() -> None:
    assert separated([50, 50, 50], 10, 0, 100) == pytest.approx([40, 50, 60])


def test_more_places_than_there_is_room_for_keep_their_distance() -> None:
    found = separated([5.0] * 4, 10, 0, 20)
    assert np.diff(found).tolist() == [10, 10, 10]


def test_a_long_name_keeps_both_ends() -> None:
    name = "encoder-decoder_batch=16_l1+cgan"
    found = shortened(name, 120, 12)
    assert found.startswith("encod")
    assert found.endswith("cgan")
    assert text_width(found, 12) <= 120
    assert shortened(name, math.inf, 12) == name


def test_wide_letters_take_more_room() -> None:
    assert text_width("損失", 12) > 1.5 * text_width("ab", 12)
    assert len(shortened("損失" * 10, 120, 12)) < len(shortened("ab" * 10, 120, 12))
