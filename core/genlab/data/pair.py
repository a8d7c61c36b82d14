"""A pair as augmentation takes it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class PreparedPair(NamedTuple):
    """A pair as two tensors (channels, height, width) of one size, stored as `data/sides.py` tells."""

    key: str
    condition: Tensor
    target: Tensor
