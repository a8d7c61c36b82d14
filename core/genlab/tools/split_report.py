"""Report of one split of the data, and the reading that it is made from."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from genlab.data.prepared import PreparedPairs
from genlab.errors import DataError
from genlab.inspection.inspector import PairInspector
from genlab.inspection.statistics import SideStatistics
from genlab.inspection.suspicion import Suspicion
from genlab.interfaces.dataset import SIDE_NAMES, ImageSide, Side, SideName, require_side_image


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


class SplitReading:
    """Reading of all of a split, each image once.

    Args:
        prepared: the split.
        inspector: sees every image, for statistics and what is suspicious.
        count: called for each pair.
        faults: to which the errors of what cannot be read are added.
    """

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
