import numpy as np
import pytest

from genlab.data.order import Draw, draw, evenly_spaced


def numbers(draws: list[Draw]) -> set[float]:
    return {number for item in draws for number in item.numbers("color", 2)}


def epoch(seed: int, number: int, count: int) -> list[Draw]:
    return [draw(seed, number * count + place, count) for place in range(count)]


@pytest.mark.parametrize("count", [1, 2, 5, 64])
@pytest.mark.parametrize("number", [0, 1, 7])
def test_each_epoch_has_every_pair_once(count, number):
    draws = epoch(3, number, count)
    assert sorted(item.index for item in draws) == list(range(count))
    assert {item.epoch for item in draws} == {number}


def test_a_draw_depends_on_seed_and_position_alone():
    forwards = [draw(0, position, 5) for position in range(40)]
    shuffled = np.random.default_rng(0).permutation(40)
    scattered = {int(position): draw(0, int(position), 5) for position in shuffled}
    assert [scattered[position] for position in range(40)] == forwards


def test_epochs_differ_in_order_and_augmentation():
    first, second = epoch(0, 0, 20), epoch(0, 1, 20)
    assert [item.index for item in first] != [item.index for item in second]
    assert not numbers(first) & numbers(second)


def test_seeds_differ_in_order_and_augmentation():
    one, other = epoch(0, 0, 20), epoch(1, 0, 20)
    assert [item.index for item in one] != [item.index for item in other]
    assert not numbers(one) & numbers(other)


def test_pairs_of_an_epoch_are_augmented_differently():
    assert len(numbers(epoch(0, 0, 50))) == 2 * 50


def test_numbers_of_a_name_depend_on_no_other_name():
    names = ("one", "other", "jitter", "flip")
    drawn = [draw(0, position, 5).numbers(name, 3) for name in names for position in (0, 7)]
    assert len({number for row in drawn for number in row}) == 8 * 3
    assert draw(0, 7, 5).numbers("other", 3)[:2] == draw(0, 7, 5).numbers("other", 2)


@pytest.mark.parametrize("name", ["jitter", "color"])
def test_numbers_are_spread_evenly(name):
    drawn = np.array([draw(0, position, 400).numbers(name, 2) for position in range(4000)])
    for places in drawn.T:
        counts, _ = np.histogram(places, bins=10, range=(0, 1))
        assert counts.sum() == 4000
        assert counts == pytest.approx(400, abs=80)


def test_every_pair_comes_equally_often_at_each_place():
    places = np.zeros((4, 4))
    for number in range(800):
        for place, item in enumerate(epoch(0, number, 4)):
            places[item.index, place] += 1
    assert places == pytest.approx(200, abs=50)


def test_takes_the_largest_seed_of_a_recipe():
    assert sorted(item.index for item in epoch(2**63 - 1, 10**9, 3)) == [0, 1, 2]


def test_draws_are_these_on_every_machine_and_with_every_numpy():
    """A run that is resumed after an upgrade goes on with the same pairs."""
    assert [draw(0, position, 5).index for position in range(10)] == [4, 1, 2, 0, 3, 0, 3, 1, 2, 4]
    drawn = draw(7, 12, 5)
    assert drawn == Draw(seed=7, index=3, epoch=2)
    assert drawn.numbers("jitter", 2) == [0.11069331381247882, 0.7162283089723566]
    assert drawn.numbers("flip", 1) == [0.03762630526161892]
    assert drawn.numbers("color", 2) == [0.9788870257166336, 0.19245493431036287]


@pytest.mark.parametrize(
    ("count", "most", "indices"),
    [
        (6, 3, [0, 2, 4]),
        (5, 3, [0, 1, 3]),
        (3, 3, [0, 1, 2]),
        (2, 5, [0, 1]),
        (100, 4, [0, 25, 50, 75]),
        (1, 1, [0]),
    ],
)
def test_a_few_of_many_are_spread_evenly_from_the_first_on(count, most, indices):
    assert evenly_spaced(count, most) == indices
