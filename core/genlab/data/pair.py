"""Tensors before data augmentation: of a pair, and as they are read and stored."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class PreparedPair(NamedTuple):
    """A pair as two tensors (channels, height, width), stored as in `data/sides.py`."""

    key: str
    condition: Tensor
    target: Tensor


class Record(NamedTuple):
    """Tensors that are read at once: condition and target of a pair, or an image of one side."""

    key: str
    images: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return sum(image.nbytes for image in self.images)
