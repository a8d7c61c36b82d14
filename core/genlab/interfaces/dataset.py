"""Interface of datasets: sources of pairs of images, or of images of two sides. Importing this imports no torch."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast, get_args

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from genlab.errors import DataError
from genlab.images.read import read_image
from genlab.images.source import ImageSource

TrainingSplit = Literal["train", "validation"]
Split = Literal["train", "validation", "test"]
SideName = Literal["a", "b"]
SIDE_NAMES: tuple[SideName, ...] = get_args(SideName)


@dataclass(frozen=True)
class ImageSide:
    """A side of every pair that is an image.

    Args:
        channels: how many channels each array has.
        range: the values of black and of full intensity; None for unsigned integers, whose type says it.
        dtype: NumPy's name of the arrays' type, such as `uint16`; None where it is seen when a pair is read.
    """

    channels: int = 3
    range: tuple[float, float] | None = None
    dtype: str | None = None


Palette = tuple[tuple[int, int, int], ...]

_LOOKED_AT = 64
"""The most images that are read to see their sizes."""


@dataclass(frozen=True)
class LabelSide:
    """A side of every pair that is a map of classes.

    Args:
        palette: the color of each class (red, green, blue, 0 to 255); a pixel holds an index into it.
        ignore: the value of pixels of no class, such as 255, which losses and metrics leave out; None if all have one.
    """

    palette: Palette
    ignore: int | None = None


Side = ImageSide | LabelSide


class Pair(NamedTuple):
    """Two pictures of the same thing, pixel for pixel.

    An image is an array (height, width, channels) of integers of up to 32 bits or of floats; a label map is an array
    (height, width) of uint8 or uint16. Both sides have the same height and width, or one is `input.scale` times as high
    and wide as the other. The key names the pair, and no other.

    The mask, of pairs that say `has_masks`, is an array (height, width) of booleans, as large as the larger side: true
    where the pair counts. Losses and metrics leave out all other pixels.
    """

    key: str
    a: NDArray[np.generic]
    b: NDArray[np.generic]
    mask: NDArray[np.bool_] | None = None


class SideImage(NamedTuple):
    """One side's image or label map, as a `Pair` has it; the key names it among those of its side."""

    key: str
    image: NDArray[np.generic]


class Pairs(ABC):
    """The pairs of one split, read one at a time and as often as asked: the same index gives the same pair.

    `__getitem__` and `read_side` may be called from several threads. They never augment: that is the framework's part.

    Args:
        a: what the first side of every pair is.
        b: what the second side of every pair is.
        description: one line for the person who starts a run, such as `400 pairs in data/facades/train`.
        left_out: names of files among the data that are not read, by kind, such as `hidden` or `.txt`; no name is in
            both splits.

    Attributes:
        is_paired: whether condition and target belong together; False only for `Unpaired`, and what wraps it.
        has_masks: whether each pair has a mask; what wraps other pairs passes it on.
        is_derived: whether side a is computed from side b, as gray is from colors; a training from b to a is warned of.
            What wraps other pairs passes it on.
    """

    is_paired: bool = True
    has_masks: bool = False
    is_derived: bool = False

    def __init__(
        self, a: Side, b: Side, description: str, left_out: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> None:
        self.a = a
        self.b = b
        self.description = description
        self.left_out = dict(left_out)

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> Pair:
        """Read one pair; `DataError` names the file if it cannot be read."""

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

    def count_of(self, side: SideName) -> int:  # noqa: ARG002
        """Number of images of a side: that of the pairs."""
        return len(self)

    def read_side(self, index: int, side: SideName) -> SideImage:
        """Read one side of a pair; `DataError` names the file if it cannot be read.

        This one reads the pair; override it where a side can be read without the other.
        """
        require_pair(pair := self[index], self.description)
        return SideImage(pair.key, getattr(pair, side))

    def fingerprint(self) -> str:
        """Hash of the content, independent of where the pairs are stored.

        This one reads every pair; override it where the content is known more cheaply.
        """
        digest = hashlib.sha256()
        for pair in self:
            require_pair(pair, self.description)
            digest.update(pair.key.encode())
            for array in (pair.a, pair.b) if pair.mask is None else (pair.a, pair.b, pair.mask):
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Heights and widths in pixels that a side's images are stored with.

        A prediction of a file is made at the scale of these images. This one reads up to 64, spread over all; override
        it where the sizes of all are known without decoding, as from the headers of files.
        """
        count = self.count_of(side)
        shown = (self.read_side(index, side).image for index in range(0, count, max(1, -(-count // _LOOKED_AT))))
        return [(image.shape[0], image.shape[1]) for image in shown]


class Unpaired(Pairs):
    """The images of two sides that do not belong together, such as photos of horses and of zebras.

    A subclass has `count_of` and `read_side`: sides may have different numbers of images, and these any sizes. A
    training draws from each side by itself. Where pairs are looked at one after the other, as in previews, both sides
    are walked in parallel, and the shorter one again and again.
    """

    is_paired = False

    @abstractmethod
    @override
    def count_of(self, side: SideName) -> int:
        """Number of images of a side."""

    @abstractmethod
    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        """Read one image of a side; `DataError` names the file if it cannot be read."""

    @override
    def __len__(self) -> int:
        counts = self.count_of("a"), self.count_of("b")
        return max(counts) if all(counts) else 0

    @override
    def __getitem__(self, index: int) -> Pair:
        a, b = (self._read(index % self.count_of(side), side) for side in SIDE_NAMES)
        return Pair(joint_key(a.key, b.key), a.image, b.image)

    @override
    def fingerprint(self) -> str:
        """Hash of the content of all images, each of which is read once."""
        digest = hashlib.sha256()
        for side in SIDE_NAMES:
            digest.update(f"side {side}: {self.count_of(side)}".encode())
            for key, image in (self._read(index, side) for index in range(self.count_of(side))):
                digest.update(f"{key}{image.dtype.str}{image.shape}".encode())
                digest.update(np.ascontiguousarray(image).tobytes())
        return digest.hexdigest()

    def _read(self, index: int, side: SideName) -> SideImage:
        require_side_image(found := self.read_side(index, side), self.description)
        return found


def joint_key(a: str, b: str) -> str:
    """Key of two images that are no pair."""
    return f"{a} | {b}"


def require_pair(pair: object, where: str) -> None:
    """Check that a plugin's dataset returned a pair of arrays.

    Args:
        pair: the returned value.
        where: the dataset, for the message.

    Raises:
        DataError: it is something else.
    """
    if not isinstance(pair, Pair):
        raise DataError(f"expected a genlab.Pair, got a {type(pair).__name__}", where=where)
    if not isinstance(cast(object, pair.key), str):
        raise DataError(f"the key of a pair: expected text, got a {type(pair.key).__name__}", where=where)
    for side in (pair.a, pair.b):
        if not isinstance(cast(object, side), np.ndarray):
            raise DataError(f"a side of a pair: expected a NumPy array, got a {type(side).__name__}", where=pair.key)
    if pair.mask is not None and getattr(pair.mask, "dtype", None) != np.bool_:
        given = getattr(pair.mask, "dtype", type(pair.mask).__name__)
        raise DataError(f"the mask of a pair: expected a NumPy array of booleans, got {given}", where=pair.key)


def require_side_image(image: object, where: str) -> None:
    """Check that a plugin's dataset returned an array with its key; `DataError` if it is something else."""
    if not (isinstance(image, SideImage) and isinstance(cast(object, image.key), str)):
        raise DataError(f"expected a genlab.SideImage with a key, got a {type(image).__name__}", where=where)
    if not isinstance(cast(object, image.image), np.ndarray):
        raise DataError(f"expected a NumPy array, got a {type(image.image).__name__}", where=image.key)


class Choice(NamedTuple):
    """The dataset in use, and why.

    Args:
        dataset: this one.
        reason: one line on why, if there was a choice.
        settings: those of its settings that the run's recipe should say otherwise, to mean the same from anywhere,
            such as an absolute path; for a setting that is a dataset, what that one chose.
    """

    dataset: Dataset
    reason: str | None = None
    settings: Mapping[str, Any] = MappingProxyType({})


class Dataset(ABC):
    """A source of pairs. The constructor's keyword arguments are its settings; constructing one reads nothing."""

    @abstractmethod
    def open(self, split: Split) -> Pairs:
        """Find the pairs of one split; `DataError` says what is wrong with them, or that there is no such split."""

    def available_splits(self) -> Sequence[Split]:
        """The splits that it can open: these two, and `test` where there is one, which no training opens.

        One around another dataset passes on what that one, or what it chooses, has.
        """
        return get_args(TrainingSplit)

    def probe(self) -> None:
        """Raise `DataUnavailableError` if this source is not available; may take 3 seconds at most.

        The dataset `first_available` asks this of each of its sources, before it takes one.
        """

    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:  # noqa: ARG002
        """Read a file of one side, as the pairs' images are read: to predict from it what was trained with pairs.

        This one reads an image, with the values, depth and bands that the file has, without an alpha channel.

        Args:
            path: the file.
            side: the side of the pairs that it belongs to.

        Returns:
            An array as a pair has it on that side.

        Raises:
            DataError: it cannot be read exactly, or is not of that side.
        """
        return read_image(ImageSource.of(path))

    def choose(self) -> Choice:
        """The dataset to use: this one, unless it selects one of the datasets in its settings.

        One around another, in its setting `source`, asks that one, and passes on what it chose, as in
        `Choice(Mine(source=chosen.dataset), chosen.reason, {"source": chosen})`.
        """
        return Choice(self)
