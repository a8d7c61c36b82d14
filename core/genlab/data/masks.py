"""Masks of pairs: which pixels of a target count.

A mask is stored, resized and augmented as one more label map of the target's size, of the classes 0 (left out) and 1.
"""

from __future__ import annotations

import torch
from jaxtyping import Shaped
from torch import Tensor

from genlab.data.sides import MASK, TensorSpec, ignored_class, resize
from genlab.errors import DataError
from genlab.interfaces.dataset import LabelSide, Pair, Pairs


def is_masked(pairs: Pairs) -> bool:
    """True if some pixels of the pairs may not count: they have masks, or a side with an ignored value."""
    return pairs.has_masks or any(
        isinstance(side, LabelSide) and side.ignore is not None for side in (pairs.a, pairs.b)
    )


def require_mask(pair: Pair, pairs: Pairs) -> None:
    """Check that a pair has a mask of its larger side's size if its dataset says so, and none otherwise.

    Raises:
        DataError: it does not.
    """
    if (pair.mask is not None) != pairs.has_masks:
        what = "it has no mask" if pair.mask is None else "it has a mask"
        says = f"{type(pairs).__name__} says has_masks = {pairs.has_masks}"
        raise DataError(f"{what}, and {says}", where=pair.key, hint="A dataset's pairs all have a mask, or none has.")
    size = max(pair.a.shape[:2], pair.b.shape[:2])
    if pair.mask is not None and pair.mask.shape != size:
        what = f"the mask of a pair: expected the shape {size}, as high and wide as its larger side"
        raise DataError(f"{what}, got {pair.mask.shape}", where=pair.key)


def joint_mask(
    mask: Shaped[Tensor, "1 h w"] | None, sides: tuple[TensorSpec, TensorSpec], images: tuple[Tensor, Tensor]
) -> Shaped[Tensor, "1 h w"]:
    """A pair's mask of its target's size: 0 where its own mask is 0, and where a side has the ignored value.

    Args:
        mask: the pair's own, at the target's size; None if it has none.
        sides: what condition and target are.
        images: condition and target, at their sizes.
    """
    size = (images[1].shape[-2], images[1].shape[-1])
    if mask is None:
        mask = torch.ones(1, *size, dtype=torch.uint8)
    for side, image in zip(sides, images, strict=True):
        if (ignored := ignored_class(side)) is not None:
            mask = mask * resize((image != ignored).to(torch.uint8), MASK, size)
    return mask
