"""Tensors before data augmentation: of a pair, and as they are read and stored."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class PreparedPair(NamedTuple):
    """A pair as tensors (channels, height, width), stored as in `data/sides.py`, with a mask if there are masks."""

    key: str
    condition: Tensor
    target: Tensor
    mask: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return sum(tensor.nbytes for tensor in (self.condition, self.target, self.mask) if tensor is not None)


class Record(NamedTuple):
    """Tensors that are read at once: condition, target and mask of a pair, or an image of one side."""

    key: str
    images: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return sum(image.nbytes for image in self.images)
