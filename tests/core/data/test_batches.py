import threading
import time
import weakref
from collections.abc import Mapping
from itertools import islice

import numpy as np
import pytest
import torch
from tests.core.toys import JITTER_AND_FLIP, MemoryPairs, pictures

from genlab import Augmentation, Batch, DataError, ImageSide, LabelSide, Pair
from genlab.config.schema import Input
from genlab.data.augment import augmentation_steps, load_size
from genlab.data.batches import Batches
from genlab.data.order import draw
from genlab.data.pair import PreparedPair
from genlab.data.prepared import PreparedPairs
from genlab.data.read_ahead import ReadAhead

PLAIN = Input(size=8)


def batches(
    pairs: MemoryPairs,
    settings: Input = PLAIN,
    augmentations: Mapping[str, Augmentation] = JITTER_AND_FLIP,
    size: int = 1,
    seed: int = 0,
    ahead: ReadAhead | None = None,
    **more,
) -> Batches:
    steps = augmentation_steps(augmentations, settings.height_width)
    prepared = PreparedPairs(pairs, settings, load_size(steps, settings.height_width), **more)
    return Batches(prepared, steps, seed, size, ahead=ahead)


def first(count: int, made: Batches, step: int = 0) -> list[Batch]:
    stream = made.starting_at(step)
    found = list(islice(stream, count))
    stream.close()
    return found


def equal(ones: list[Batch], others: list[Batch]) -> bool:
    return len(ones) == len(others) and all(
        torch.equal(mine, yours)
        for one, other in zip(ones, others, strict=True)
        for mine, yours in zip(one.sides, other.sides, strict=True)
    )


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("genlab-pairs")]


def numbered(count: int) -> MemoryPairs:
    """Pairs of one color each, which is their number."""
    plain = [np.full((8, 8, 3), number, np.uint8) for number in range(count)]
    return MemoryPairs(plain, plain)


def numbers(found: list[Batch]) -> list[int]:
    """Which of the numbered pairs came, in order."""
    return [round((float(image.mean()) + 1) * 127.5) for batch in found for image in batch.condition]


def test_batches_are_what_networks_take():
    (batch,) = first(1, batches(pictures(5, 12, 12), size=4))
    for side in batch.sides:
        assert side.shape == (4, 3, 8, 8)
        assert side.dtype == torch.float32
        assert -1 <= side.min() < -0.9 < 0.9 < side.max() <= 1


def test_condition_and_target_are_augmented_alike():
    arrays = [array for array, _ in pictures(5, 12, 12).arrays]
    for batch in first(10, batches(MemoryPairs(arrays, arrays))):
        assert torch.equal(batch.condition, batch.target)


@pytest.mark.parametrize("step", [1, 3, 5, 11])
@pytest.mark.parametrize("size", [1, 4])
def test_can_be_begun_at_any_step(step, size):
    whole = first(12, batches(pictures(5, 12, 12), size=size))
    assert equal(first(12 - step, batches(pictures(5, 12, 12), size=size), step), whole[step:])


@pytest.mark.parametrize("size", [2, 4, 7])
def test_the_batch_size_only_cuts_the_sequence(size):
    singles = first(28, batches(pictures(5, 12, 12)))
    for number, batch in enumerate(first(28 // size, batches(pictures(5, 12, 12), size=size))):
        part = singles[number * size : (number + 1) * size]
        assert torch.equal(batch.condition, torch.cat([single.condition for single in part]))
        assert torch.equal(batch.target, torch.cat([single.target for single in part]))


@pytest.mark.parametrize("size", [1, 3, 4, 12])
def test_every_pair_comes_once_in_each_epoch_also_where_a_batch_straddles_two(size):
    found = numbers(first(60 // size, batches(numbered(5), augmentations={}, size=size)))
    assert found == [draw(0, position, 5).index for position in range(60)]
    assert all(sorted(found[start : start + 5]) == [0, 1, 2, 3, 4] for start in range(0, 60, 5))


def test_another_seed_gives_another_sequence():
    assert not equal(first(5, batches(pictures(5, 12, 12))), first(5, batches(pictures(5, 12, 12), seed=1)))


def test_the_same_pair_is_augmented_anew_in_each_epoch():
    found = first(8, batches(pictures(1, 12, 12)))
    assert len({batch.condition.numpy().tobytes() for batch in found}) > 4


class Slow(MemoryPairs):
    """Some pairs take longer than others."""

    def __getitem__(self, index: int) -> Pair:
        time.sleep(0.004 * (index % 3))
        return super().__getitem__(index)


PAIR = 2 * 3 * 12 * 12
"""Bytes of a pair of the toy pictures, at the size that crops are taken from."""


@pytest.mark.parametrize(
    "ahead",
    [ReadAhead(1, 0), ReadAhead(1, 8 * PAIR), ReadAhead(4, 0, least=3), ReadAhead(8, 2**20)],
    ids=str,
)
@pytest.mark.parametrize("cache_bytes", [0, 2**20])
def test_the_sequence_depends_neither_on_threads_nor_on_the_cache(ahead, cache_bytes):
    expected = first(12, batches(pictures(5, 12, 12), size=2))
    slow = Slow(*zip(*pictures(5, 12, 12).arrays, strict=True))
    assert equal(first(12, batches(slow, size=2, ahead=ahead, cache_bytes=cache_bytes)), expected)


def reads_once_idle(pairs: MemoryPairs) -> int:
    """Number of reads when the threads have nothing left to read."""
    done, since = sum(pairs.reads), time.monotonic()
    while time.monotonic() - since < 0.1:
        time.sleep(0.005)
        if sum(pairs.reads) != done:
            done, since = sum(pairs.reads), time.monotonic()
    return done


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (ReadAhead(2, 7 * PAIR + 1), 7),
        (ReadAhead(2, 0), 1),
        (ReadAhead(2, 3 * PAIR, least=5), 5),
        (ReadAhead(2, 2**30), 20),  # an epoch
    ],
    ids=str,
)
def test_reads_ahead_within_its_bytes_while_a_batch_is_used(ahead, expected):
    pairs = pictures(20, 12, 12)
    stream = batches(pairs, ahead=ahead, cache_bytes=0).starting_at(0)
    for taken in range(1, 4):
        next(stream)
        assert reads_once_idle(pairs) == taken + expected
    stream.close()


class Large(MemoryPairs):
    """Large pairs, some of which take longer than others."""

    def __getitem__(self, index: int) -> Pair:
        time.sleep(0.002 * (index % 4))
        image = np.full((512, 512, 3), index, np.uint8)
        return Pair(str(index), image, image)


class Counted(PreparedPairs):
    """Counts the bytes of the pairs that exist, and the most there were."""

    lock = threading.Lock()
    held, most = 0, 0

    def joined(self, condition: int, target: int) -> PreparedPair:
        found = super().joined(condition, target)
        self._add(found.nbytes)
        weakref.finalize(found.condition, self._add, -found.nbytes)
        return found

    def _add(self, change: int) -> None:
        with self.lock:
            self.held += change
            self.most = max(self.most, self.held)


def test_what_is_read_ahead_is_bounded_in_memory_however_slow_the_readers_are():
    pair, size, settings = 2 * 3 * 512 * 512, 2, Input(size=512)
    ahead = ReadAhead(3, nbytes=5 * pair + 17, least=2)
    counted = Counted(Large(*zip(*pictures(40, 4, 4).arrays, strict=True)), settings, (512, 512), cache_bytes=0)
    stream = Batches(counted, [], 0, size, ahead=ahead).starting_at(0)
    for number, _ in enumerate(islice(stream, 16)):
        time.sleep(0.02 * (number % 2))  # now the readers are slower than the training, and now faster
    stream.close()
    assert 5 * pair <= counted.most <= ahead.nbytes + size * pair  # with those of the batch that is made of them
    assert counted.held == 0


@pytest.mark.parametrize("size", [1, 2])
def test_a_pair_that_cannot_be_read_stops_at_its_own_step(size):
    order = [draw(0, position, 10).index for position in range(10)]
    made = batches(pictures(10, 12, 12, broken=[order[7]]), size=size)
    stream = made.starting_at(0)
    before = list(islice(stream, 7 // size))
    with pytest.raises(DataError, match="cannot be read") as caught:
        next(stream)
    assert caught.value.where == f"pair {order[7]}"
    assert equal(before, first(7 // size, batches(pictures(10, 12, 12), size=size)))
    assert not reading_threads()


def test_no_thread_is_left_when_the_sequence_is_closed():
    stream = batches(pictures(5, 12, 12)).starting_at(0)
    next(stream)
    assert reading_threads()
    stream.close()
    assert not reading_threads()


def test_pairs_of_eight_and_sixteen_bits_share_a_batch():
    eight = pictures(1, 12, 12).arrays[0]
    sixteen = [array.astype(np.uint16) * 257 for array in eight]
    (batch,) = first(1, batches(MemoryPairs(*zip(eight, sixteen, strict=True)), Input(size=12), {}, size=2))
    torch.testing.assert_close(batch.condition[0], batch.condition[1], rtol=0, atol=1e-6)


def test_labels_come_in_their_colors():
    palette = ((0, 0, 0), (255, 0, 0), (10, 20, 30))
    labels = [np.random.default_rng(0).integers(0, 3, (20, 20), dtype=np.uint8)]
    photo = [np.full((20, 20, 3), 255, np.uint8)]
    pairs = MemoryPairs(photo, labels, (ImageSide(), LabelSide(palette)))
    (batch,) = first(1, batches(pairs, Input(size=8, direction="b_to_a")))
    colors = batch.condition[0].permute(1, 2, 0).flatten(0, 1).add(1).mul(127.5).round().int()
    assert {tuple(color) for color in colors.tolist()} == set(palette)
    assert torch.equal(batch.target, torch.ones(1, 3, 8, 8))
