"""Normalization ranges measured on the training pairs (percentiles)."""

from __future__ import annotations

import numpy as np

from genlab.config.schema import Input, Percentiles
from genlab.errors import DataError
from genlab.interfaces.dataset import Pairs, SideName

_VALUES = 2**16
"""Maximum number of values per image that are sampled, evenly spaced."""


def settle_ranges(settings: Input, training: Pairs) -> Input:
    """Settings with the percentiles of their ranges measured; `DataError` if the values there are all the same."""
    found = {
        f"range_{name}": _measure(getattr(settings, f"range_{name}"), training, name)
        for name in ("a", "b")
        if isinstance(getattr(settings, f"range_{name}"), Percentiles)
    }
    return settings.model_copy(update=found)


def _measure(setting: Percentiles, training: Pairs, name: SideName) -> tuple[float, float]:
    values = [_some(getattr(pair, name)) for pair in training]
    low, high = np.percentile(np.concatenate(values).astype(np.float64), setting.percentiles)
    if not low < high:
        what = f"the percentiles {list(setting.percentiles)} of side {name} are {low:g} and {high:g}"
        raise DataError(f"{what}: they span no range", where=training.description)
    return float(low), float(high)


def _some(array: np.ndarray) -> np.ndarray:
    flat = array.reshape(-1)
    # A copy, as a view would keep the whole image in memory.
    return flat[:: max(1, -(-flat.size // _VALUES))].copy()
