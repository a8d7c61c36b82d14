"""Normalization ranges measured on the training pairs (percentiles)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab.config.schema import Input, Percentiles
from genlab.data.sampling import sample_pixels
from genlab.errors import DataError
from genlab.interfaces.dataset import Pairs, SideName

_VALUES = 2**22
"""Approximate number of values of a side that are sampled, evenly spaced, of all pairs together."""


def settle_ranges(settings: Input, training: Pairs) -> Input:
    """Settings with the percentiles of their ranges measured; `DataError` if there are none, or all are the same."""
    found = {
        f"range_{name}": _measure(getattr(settings, f"range_{name}"), training, name)
        for name in ("a", "b")
        if isinstance(getattr(settings, f"range_{name}"), Percentiles)
    }
    return settings.model_copy(update=found)


def _measure(setting: Percentiles, training: Pairs, name: SideName) -> tuple[float, float]:
    if len(training) == 0:
        raise DataError("there are no pairs", where=training.description)
    count = training.count_of(name)
    share = _VALUES // count
    images = (training.read_side(index, name) for index in range(count))
    arrays = (_finite(image, f"{key}, side {name}") for key, image in images)
    values = [sample_pixels(array, max(1, share // array.shape[-1])).reshape(-1) for array in arrays]
    low, high = np.percentile(np.concatenate(values).astype(np.float64), setting.percentiles)
    if not low < high:
        what = f"the percentiles {list(setting.percentiles)} of side {name} are {low:g} and {high:g}"
        raise DataError(f"{what}: they span no range", where=training.description)
    return float(low), float(high)


def _finite(array: NDArray[np.generic], where: str) -> NDArray[np.generic]:
    if not np.isfinite(array).all():
        raise DataError("some of its values are not finite", where=where, hint="Replace NaN and infinity.")
    return array
