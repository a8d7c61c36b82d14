"""The pool is the definition's: it fills, then half of the images are exchanged for stored ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab import Draws
from genlab_cyclegan.image_pool import ImagePool


def images(*values: int) -> Tensor:
    """Images of one color each."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None].expand(-1, 3, 2, 2).clone()


def values(batch: Tensor) -> list[int]:
    return batch[:, 0, 0, 0].int().tolist()


def shown(pool: ImagePool, steps: Sequence[int], count: int = 1) -> list[int]:
    """What the pool gives for batches of the images n, n + 1, ..., at each of the steps."""
    found: list[int] = []
    for step in steps:
        samples = tuple(range(step * count, (step + 1) * count))
        found += values(pool.exchanged(images(*samples), Draws(0, samples)))
    return found


def test_it_gives_images_back_until_it_is_full():
    pool = ImagePool(5)
    assert shown(pool, range(5)) == [0, 1, 2, 3, 4]
    assert values(torch.stack(pool.images)) == [0, 1, 2, 3, 4]


def test_then_an_image_comes_back_or_takes_the_place_of_one_that_is_shown_instead():
    pool = ImagePool(5)
    shown(pool, range(5))
    for step in range(5, 200):
        before = values(torch.stack(pool.images))
        (given,) = shown(pool, [step])
        after = values(torch.stack(pool.images))
        if given == step:
            assert after == before
        else:
            assert after == [step if value == given else value for value in before] != before


def test_half_of_the_images_are_exchanged_each_place_as_often():
    pool = ImagePool(4)
    shown(pool, range(4))
    places = [0] * 4
    for step in range(4, 2004):
        before = values(torch.stack(pool.images))
        (given,) = shown(pool, [step])
        if given != step:
            places[before.index(given)] += 1
    assert 940 < sum(places) < 1060
    assert all(200 < count < 300 for count in places)


def test_it_shows_an_image_at_most_once_and_loses_none():
    pool = ImagePool(7)
    found = shown(pool, range(100), count=3)
    left = values(torch.stack(pool.images))
    filling, later = found[:7], found[7:]
    assert filling == list(range(7))
    assert len(set(later)) == len(later)
    assert sorted({*later, *left}) == list(range(300))


def test_what_comes_depends_on_the_samples_and_not_on_what_the_process_drew():
    pools = [ImagePool(4), ImagePool(4)]
    torch.manual_seed(0)
    one = shown(pools[0], range(40), count=2)
    torch.manual_seed(1)
    assert shown(pools[1], range(40), count=2) == one


def test_a_pool_of_none_gives_what_it_gets():
    pool = ImagePool(0)
    assert shown(pool, range(20)) == list(range(20))
    assert pool.images == []


def test_what_it_keeps_is_its_own():
    pool = ImagePool(2)
    for step in range(20):
        given = images(step)
        pool.exchanged(given, Draws(0, (step,)))
        given.fill_(-1)
    assert all(value >= 0 for value in values(torch.stack(pool.images)))
