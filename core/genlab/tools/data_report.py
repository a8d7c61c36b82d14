"""Report of a recipe's data: number of pairs, sizes, values, what is suspicious, and what networks see."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from genlab.assemble.augmentations import try_augmentations
from genlab.assemble.experiment import construct, prepare, with_ranges
from genlab.assemble.open_data import open_data
from genlab.assemble.read import CheckedRecipe, read_recipe
from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.errors import DataError
from genlab.inspection.inspector import PairInspector
from genlab.inspection.statistics import SideStatistics
from genlab.inspection.suspicion import Suspicion
from genlab.interfaces.dataset import SIDE_NAMES, ImageSide, Side, SideName, Split, TrainingSplit, require_side_image
from genlab.tools.data_pictures import AugmentedPairs, Columns, draw_pairs

_SHOWN = 6


@dataclass(frozen=True)
class SplitReport:
    """The pairs of one split.

    Args:
        description: one line on where they are.
        pairs: how many; None where the sides have no pairs.
        images: how many images each side has.
        a: what the first side is, in words.
        b: what the second side is.
        sizes: how many pairs are stored with which height and width, by `HEIGHT x WIDTH`, the most frequent first; by
            `HEIGHT x WIDTH and HEIGHT x WIDTH` where both sides differ, and by `a: HEIGHT x WIDTH` without pairs.
        keys: the keys of pairs that are equal, pixel by pixel, by a hash of their content; without pairs, of images.
        statistics: depth, bands and values of each side, or its classes, of all pairs.
        ignored: the share of pixels that do not count; None if all do.
        ignored_pairs: the keys of pairs of which no pixel counts.
        suspicions: what is valid but probably a mistake.
    """

    description: str
    pairs: int | None
    images: Mapping[SideName, int]
    a: str
    b: str
    sizes: Mapping[str, int]
    keys: Mapping[str, Sequence[str]]
    statistics: Mapping[SideName, SideStatistics]
    ignored: float | None
    ignored_pairs: Sequence[str]
    suspicions: Sequence[Suspicion]

    @property
    def repeated(self) -> list[str]:
        """The keys of pairs that another pair of the split is equal to; without pairs, of images."""
        return [key for keys in self.keys.values() if len(keys) > 1 for key in keys]


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
        reading = _Reading(prepared, inspector, count, faults)
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


class _Reading:
    """Reads all of a split, each image once, for its report; what is at fault is added to `faults`."""

    def __init__(
        self, prepared: PreparedPairs, inspector: PairInspector, count: Callable[[], None], faults: list[DataError]
    ) -> None:
        self._prepared = prepared
        self._inspector = inspector
        self._count = count
        self._faults = faults
        self._sizes = Counter[str]()
        self._keys: defaultdict[str, list[str]] = defaultdict(list)
        self._ignored: dict[str, float] = {}

    def read(self) -> None:
        """Read all pairs; without pairs, all images of each side."""
        pairs = self._prepared.pairs
        if pairs.is_paired:
            for index in range(len(pairs)):
                self._try(self._read_pair, index)
        else:
            for side in SIDE_NAMES:
                for index in range(pairs.count_of(side)):
                    self._try(self._read_image, index, side)

    def report(self) -> SplitReport:
        """The report of a split without faults."""
        pairs = self._prepared.pairs
        statistics, suspicions = self._inspector.inspection()
        return SplitReport(
            description=pairs.description,
            pairs=len(pairs) if pairs.is_paired else None,
            images={side: pairs.count_of(side) for side in SIDE_NAMES},
            a=_in_words(pairs.a),
            b=_in_words(pairs.b),
            sizes=dict(self._sizes.most_common()),
            keys=dict(self._keys),
            statistics=statistics,
            ignored=fmean(self._ignored.values()) if self._ignored else None,
            ignored_pairs=[key for key, share in self._ignored.items() if share == 1],
            suspicions=suspicions,
        )

    def _try(self, read: Callable[..., None], *arguments: object) -> None:
        self._count()
        try:
            read(*arguments)
        except DataError as error:
            self._faults.append(error)

    def _read_pair(self, index: int) -> None:
        pair = self._prepared.pairs[index]
        if (mask := self._prepared.prepare(pair).mask) is not None:
            self._ignored[pair.key] = 1 - mask.float().mean().item()
        self._inspector.add(pair)
        self._sizes[" and ".join(dict.fromkeys(map(_size, (pair.a, pair.b))))] += 1
        self._keys[_content(pair.a, pair.b)].append(pair.key)

    def _read_image(self, index: int, side: SideName) -> None:
        pairs = self._prepared.pairs
        require_side_image(found := pairs.read_side(index, side), pairs.description)
        self._prepared.prepare_side(found, side)
        self._inspector.add_image(side, found.image)
        self._sizes[f"{side}: {_size(found.image)}"] += 1
        self._keys[f"{side} {_content(found.image)}"].append(found.key)


def _size(array: NDArray[np.generic]) -> str:
    return "{} x {}".format(*array.shape[:2])


def _content(*arrays: NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _in_words(side: Side) -> str:
    if isinstance(side, ImageSide):
        return f"image, {side.channels} channel{'s' if side.channels > 1 else ''}"
    return f"labels, {len(side.palette)} classes{'' if side.ignore is None else ', some ignored'}"
