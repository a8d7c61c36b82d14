"""Pair of tensors before data augmentation."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class PreparedPair(NamedTuple):
    """A pair as two tensors (channels, height, width) of one size, stored as in `data/sides.py`."""

    key: str
    condition: Tensor
    target: Tensor
