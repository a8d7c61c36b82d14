"""Pictures of a recipe's data: a few pairs of each split, as networks see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray
from torch import Tensor

from genlab.assemble.recipe import Recipe
from genlab.data.augment import AugmentationStep, load_size
from genlab.data.batches import Batches
from genlab.data.pair import PreparedPair
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import MASK, to_network
from genlab.data.view import SideView, view_pairs
from genlab.interfaces.dataset import Pairs

Columns = dict[str, NDArray[np.uint8]]
"""Pictures, uint8 arrays (rows, height, width, 3), by the title of a column."""


class AugmentedPairs:
    """Training pairs as the first epoch has them.

    Args:
        recipe: with its ranges.
        pairs: the training pairs.
        steps: the recipe's augmentations, at least one.
    """

    def __init__(self, recipe: Recipe, pairs: Pairs, steps: Sequence[AugmentationStep]) -> None:
        settings, method = recipe.settings, recipe.method.component
        cls: Any = method.cls
        size = load_size(steps, settings.input.height_width)
        self.prepared = PreparedPairs(pairs, settings.input, size, recipe.predictions)
        self._batches = Batches(self.prepared, steps, settings.seed, 1, in_pairs=cls.needs_pairs)
        self._recipe = recipe

    def columns(self, indices: Sequence[int]) -> Columns:
        """Columns of the pairs of these conditions, after data augmentation."""
        pairs = self._batches.first_epoch(indices)
        return draw_pairs("train, augmented", pairs, self._batches.in_pairs, self.prepared, self._recipe)


def draw_pairs(
    head: str, pairs: Sequence[PreparedPair], in_pairs: bool, prepared: PreparedPairs, recipe: Recipe
) -> Columns:
    """Columns of conditions, of targets, and where some pixels do not count of targets without these.

    Args:
        head: the begin of the columns' titles.
        pairs: of one size.
        in_pairs: whether condition and target belong together.
        prepared: where they are from.
        recipe: with the bands that are shown.
    """
    condition, target = view_pairs(prepared, recipe.settings.evaluate)
    conditions = _pictures([pair.condition for pair in pairs], condition)
    targets = _pictures([pair.target for pair in pairs], target)
    columns = {
        _title(head, "condition", condition): conditions,
        _title(head, "target" if in_pairs else "unpaired target", target): targets,
    }
    if masks := [pair.mask for pair in pairs if pair.mask is not None]:
        counts = _pictures(masks, SideView(MASK)) > 0
        columns[_title(head, "pixels that count", target)] = np.where(counts, targets, _checkerboard(targets))
    return columns


def _pictures(images: Sequence[Shaped[Tensor, "c h w"]], view: SideView) -> NDArray[np.uint8]:
    return np.stack([view.picture(to_network(image[None], view.side)[0]) for image in images])


def _checkerboard(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Squares of two grays, as large as one of these pictures (rows, height, width, 3)."""
    height, width = pictures.shape[1:3]
    edge = max(1, width // 32)
    is_dark = np.add.outer(np.arange(height) // edge, np.arange(width) // edge) % 2
    return np.where(is_dark, np.uint8(96), np.uint8(160))[..., None]


def _title(head: str, name: str, view: SideView) -> str:
    return f"{head}: {name}\n{view.caption}".strip()
