"""Report of a recipe's data: its splits, and what networks see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from genlab.assemble.augmentations import try_augmentations
from genlab.assemble.experiment import construct, prepare, with_ranges
from genlab.assemble.open_data import open_data
from genlab.assemble.read import CheckedRecipe, read_recipe
from genlab.data.order import evenly_spaced
from genlab.errors import DataError
from genlab.inspection.inspector import PairInspector
from genlab.interfaces.dataset import Split, TrainingSplit
from genlab.tools.data_pictures import AugmentedPairs, Columns, draw_pairs
from genlab.tools.split_report import SplitReading, SplitReport
from genlab.util.arguments import checked_arguments

_SHOWN = 6


@dataclass(frozen=True)
class DataReport:
    """A recipe's data.

    Args:
        source: the dataset's name.
        reason: why it is this one, if there was a choice.
        splits: by name, train and validation.
        pictures: by the title of a column, uint8 arrays (rows, height, width, 3): a few pairs of each split as networks
            see them, those of training before and after augmentation.
        left_out: names of files among the data that are not read, by kind.
    """

    source: str
    reason: str | None
    splits: Mapping[Split, SplitReport]
    pictures: Mapping[str, NDArray[np.uint8]]
    left_out: Mapping[str, Sequence[str]]

    @property
    def shared(self) -> list[str]:
        """The keys of validation pairs (images, without pairs) that one for training is equal to."""
        train, validation = (split.keys for split in self.splits.values())
        return [key for content, keys in validation.items() if content in train for key in keys]


@checked_arguments
def inspect_data(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> DataReport:
    """Report of a recipe's data; every pair is read once, so that unreadable ones are found before training.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        on_progress: called with (done, total), in pairs.

    Raises:
        RecipeError: with all that is wrong; or an augmentation does not take such data.
        DataError: the data are not available; or pairs cannot be read, or do not fit, and it lists all of them.
    """
    return _report(read_recipe(recipe, overrides=overrides, plugins=plugins), on_progress)


def _report(checked: CheckedRecipe, on_progress: Callable[[int, int], None]) -> DataReport:
    parts = construct(checked.recipe, checked.document)
    data = open_data(parts.data)
    recipe = with_ranges(checked.recipe, data)
    augmented = AugmentedPairs(recipe, data.training, parts.augmentations) if parts.augmentations else None
    if augmented:
        try_augmentations(recipe, parts.augmentations, augmented.prepared, checked.document)
    opened = [prepare(recipe, pairs) for pairs in (data.training, data.validation)]
    total = sum(len(each) if each.pairs.is_paired else sum(each.counts) for each in opened)
    rows = min(_SHOWN, *map(len, opened))
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        on_progress(done, total)

    faults: list[DataError] = []
    splits: dict[Split, SplitReport] = {}
    pictures: Columns = {}
    for split, prepared in zip(get_args(TrainingSplit), opened, strict=True):
        inspector = PairInspector(prepared.pairs, recipe.settings.input, len(prepared))
        reading = SplitReading(prepared, inspector, count, faults)
        reading.read()
        if faults:
            continue
        splits[split] = reading.report()
        shown = evenly_spaced(len(prepared), rows)
        pairs = [prepared[index] for index in shown]
        pictures |= draw_pairs(split, pairs, prepared.pairs.is_paired, prepared, recipe)
        if split == "train" and augmented:
            pictures |= augmented.columns(shown)
    if faults:
        raise DataError.listing(faults, f"of {total:,} pairs")
    return DataReport(data.config.component.name, data.reason, splits, pictures, data.left_out)
