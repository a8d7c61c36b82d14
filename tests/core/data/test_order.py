import numpy as np
import pytest

from genlab.data.order import Draw, draw, evenly_spaced


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
    assert not {item.top for item in first} & {item.top for item in second}
    assert not {item.left for item in first} & {item.left for item in second}


def test_seeds_differ_in_order_and_augmentation():
    one, other = epoch(0, 0, 20), epoch(1, 0, 20)
    assert [item.index for item in one] != [item.index for item in other]
    assert not {item.top for item in one} & {item.top for item in other}


def test_pairs_of_an_epoch_are_augmented_differently():
    draws = epoch(0, 0, 50)
    assert len({item.top for item in draws}) == len({item.left for item in draws}) == 50
    assert len({item.flip for item in draws}) == 2


def test_crops_and_flips_are_spread_evenly():
    draws = [draw(0, position, 400) for position in range(4000)]
    assert np.mean([item.flip for item in draws]) == pytest.approx(0.5, abs=0.03)
    for places in ([item.top for item in draws], [item.left for item in draws]):
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
    assert draw(7, 12, 5) == Draw(index=3, epoch=2, top=0.11069331381247882, left=0.7162283089723566, flip=True)


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
