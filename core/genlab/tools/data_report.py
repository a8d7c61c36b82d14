"""Report of a recipe's data: number of pairs, sizes, values, what is suspicious, and what networks see."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from genlab.assemble.experiment import construct, prepare, with_ranges
from genlab.assemble.open_data import open_data
from genlab.assemble.read import CheckedRecipe
from genlab.data.order import evenly_spaced
from genlab.data.pair import PreparedPair
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_network
from genlab.data.view import SideView, view_pairs
from genlab.errors import DataError
from genlab.inspection.inspector import PairInspector
from genlab.inspection.statistics import SideStatistics
from genlab.inspection.suspicion import Suspicion
from genlab.interfaces.dataset import ImageSide, Pair, Side, SideName, Split

_SHOWN = 6


@dataclass(frozen=True)
class SplitReport:
    """The pairs of one split.

    Args:
        description: one line on where they are.
        pairs: how many.
        a: what the first side is, in words.
        b: what the second side is.
        sizes: how many pairs are stored with which height and width, by `HEIGHT x WIDTH`, the most frequent first.
        keys: the keys of pairs that are equal, pixel by pixel, by a hash of their content.
        statistics: depth, bands and values of each side, or its classes, of all pairs.
        suspicions: what is valid but probably a mistake.
    """

    description: str
    pairs: int
    a: str
    b: str
    sizes: Mapping[str, int]
    keys: Mapping[str, Sequence[str]]
    statistics: Mapping[SideName, SideStatistics]
    suspicions: Sequence[Suspicion]

    @property
    def repeated(self) -> list[str]:
        """The keys of pairs that another pair of the split is equal to."""
        return [key for keys in self.keys.values() if len(keys) > 1 for key in keys]


@dataclass(frozen=True)
class DataReport:
    """A recipe's data.

    Args:
        source: the dataset's name.
        reason: why it is this one, if there was a choice.
        splits: by name, train and validation.
        pictures: by the title of a column, uint8 arrays (rows, height, width, 3): a few pairs of each split as networks
            see them, before augmentation.
        left_out: names of files among the data that are not read, by kind.
    """

    source: str
    reason: str | None
    splits: Mapping[Split, SplitReport]
    pictures: Mapping[str, NDArray[np.uint8]]
    left_out: Mapping[str, Sequence[str]]

    @property
    def shared(self) -> list[str]:
        """The keys of validation pairs that a training pair is equal to."""
        train, validation = (split.keys for split in self.splits.values())
        return [key for content, keys in validation.items() if content in train for key in keys]


def make_data_report(checked: CheckedRecipe, on_progress: Callable[[int, int], None]) -> DataReport:
    """Read and prepare every pair once.

    Args:
        checked: the recipe.
        on_progress: called with (done, total), in pairs.

    Raises:
        DataError: some cannot be read, or do not fit; it lists all of them.
    """
    data = open_data(construct(checked.recipe, checked.document).data)
    recipe = with_ranges(checked.recipe, data)
    opened = [prepare(recipe, pairs) for pairs in (data.training, data.validation)]
    total, rows = sum(map(len, opened)), min(_SHOWN, *map(len, opened))
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        on_progress(done, total)

    faults: list[DataError] = []
    splits: dict[Split, SplitReport] = {}
    pictures: dict[str, NDArray[np.uint8]] = {}
    for split, prepared in zip(get_args(Split), opened, strict=True):
        inspector = PairInspector(prepared.pairs, recipe.settings.input, len(prepared))
        read = _read(prepared, inspector, rows, count, faults)
        if read is None:
            continue
        splits[split], shown = read
        condition, target = view_pairs(prepared, recipe.settings.evaluate)
        pictures[_title(split, "condition", condition)] = _seen([pair.condition for pair in shown], condition)
        pictures[_title(split, "target", target)] = _seen([pair.target for pair in shown], target)
    if faults:
        raise DataError.listing(faults, f"of {total:,} pairs")
    return DataReport(data.config.component.name, data.reason, splits, pictures, data.left_out)


def _read(
    prepared: PreparedPairs,
    inspector: PairInspector,
    rows: int,
    count: Callable[[], None],
    faults: list[DataError],
) -> tuple[SplitReport, list[PreparedPair]] | None:
    """All pairs of a split, and a few of them to be shown; None if some are at fault, which are added to `faults`."""
    pairs = prepared.pairs
    sizes = Counter[str]()
    keys: defaultdict[str, list[str]] = defaultdict(list)
    shown: list[PreparedPair] = []
    places = set(evenly_spaced(len(pairs), rows))
    for index in range(len(pairs)):
        count()
        try:
            pair = pairs[index]
            seen = prepared.prepare(pair)
        except DataError as error:
            faults.append(error)
            continue
        inspector.add(pair)
        sizes["{} x {}".format(*pair.a.shape[:2])] += 1
        keys[_content(pair)].append(pair.key)
        if index in places:
            shown.append(seen)
    if faults:
        return None
    statistics, suspicions = inspector.inspection()
    found = SplitReport(
        description=pairs.description,
        pairs=len(pairs),
        a=_in_words(pairs.a),
        b=_in_words(pairs.b),
        sizes=dict(sizes.most_common()),
        keys=dict(keys),
        statistics=statistics,
        suspicions=suspicions,
    )
    return found, shown


def _content(pair: Pair) -> str:
    digest = hashlib.sha256()
    for side in (pair.a, pair.b):
        digest.update(f"{side.dtype.str}{side.shape}".encode() + np.ascontiguousarray(side).tobytes())
    return digest.hexdigest()


def _seen(stored: Sequence[Tensor], view: SideView) -> NDArray[np.uint8]:
    return np.stack([view.picture(to_network(image[None], view.side)[0]) for image in stored])


def _title(split: Split, name: str, view: SideView) -> str:
    return f"{split}: {name}\n{view.caption}".strip()


def _in_words(side: Side) -> str:
    if isinstance(side, ImageSide):
        return f"image, {side.channels} channel{'s' if side.channels > 1 else ''}"
    return f"labels, {len(side.palette)} classes"
