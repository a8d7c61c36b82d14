import tracemalloc

import numpy as np
import pytest

from genlab import DataError
from genlab.config.schema import Input, Percentiles
from genlab.data.ranges import settle_ranges
from genlab.data.sampling import sample_pixels
from genlab.interfaces.dataset import ImageSide
from genlab.testing.toys import MemoryPairs


@pytest.mark.parametrize("shape", [(256, 256, 3), (64, 512, 1), (7, 5, 8), (1, 1, 2), (300, 400)])
@pytest.mark.parametrize("most", [1, 100, 4096, 10**6])
def test_a_sample_has_no_more_than_it_may_and_all_bands(shape: tuple[int, ...], most: int) -> None:
    found = sample_pixels(np.zeros(shape), most)
    assert 1 <= len(found) <= most and found.shape[1:] == shape[2:]
    if most >= shape[0] * shape[1]:
        assert len(found) == shape[0] * shape[1]


def test_a_sample_meets_all_columns() -> None:
    columns = np.broadcast_to(np.arange(256), (256, 256))
    assert len(np.unique(sample_pixels(columns, 4096))) == 256


def test_percentiles_are_of_all_bands() -> None:
    # With three bands of 256 x 256, every third value is of the first band.
    bands = np.broadcast_to(np.float32([0, 5, 10]), (256, 256, 3))
    pairs = MemoryPairs([bands], [bands], (ImageSide(), ImageSide()))
    settings = Input(range_a=Percentiles(percentiles=(0, 100)))
    assert settle_ranges(settings, pairs).range_a == (0, 10)


def test_percentiles_of_many_pairs_take_no_more_memory_than_those_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.data.ranges._VALUES", 2**10)
    images = np.random.default_rng(0).random((300, 64, 64, 1), np.float32)
    pairs = MemoryPairs(list(images), list(images), (ImageSide(1), ImageSide(1)))
    tracemalloc.start()
    low, high = settle_ranges(Input(range_b=Percentiles(percentiles=(10, 90))), pairs).range_b
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**19  # 300 whole images are four megabytes
    assert (low, high) == pytest.approx((0.1, 0.9), abs=0.1)


def test_percentiles_of_no_pairs_are_refused() -> None:
    with pytest.raises(DataError, match="there are no pairs"):
        settle_ranges(Input(range_a=Percentiles(percentiles=(0, 100))), MemoryPairs([], []))
