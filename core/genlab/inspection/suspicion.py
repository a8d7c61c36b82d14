"""Checks for valid data that is probably a mistake: each returns a suspicion, or None."""

from __future__ import annotations

import math
from typing import NamedTuple

from typing_extensions import override

from genlab.inspection.seam import Seam
from genlab.inspection.statistics import ClassStatistics, ImageStatistics
from genlab.interfaces.dataset import SideName

_LEAST_USED = 1 / 8
_MOST_BEYOND = 1 / 4
_LEAST_CROSSINGS = 0.1
_LEAST_AREAS = 0.85
"""Of pixels between the ends; gray photos with 8 levels have 0.77, and the CMP Facades' label maps 0.91."""
_LEAST_DECIDED = 4


class Suspicion(NamedTuple):
    """Something suspicious about data, and its remedy.

    Args:
        check: the check that found it, such as `unused_range`.
        side: the side that it is about; None for both.
        what: what was found.
        hint: what to do.
    """

    check: str
    side: SideName | None
    what: str
    hint: str

    @override
    def __str__(self) -> str:
        return f"{self.what}. {self.hint}"


def constant_values(name: SideName, found: ImageStatistics) -> Suspicion | None:
    """One value in all pixels of all images, from which nothing can be learned: usually the wrong files."""
    if found.minimum < found.maximum:
        return None
    what = f"every value of side {name} is {found.minimum:g}"
    return Suspicion("constant_values", name, what, "Look at the files: are these the right ones?")


def constant_class(name: SideName, found: ClassStatistics) -> Suspicion | None:
    """One class in all pixels, or in none, as of masks of 0 and 1 that are read by the colors black and white."""
    seen = [index for index, share in enumerate(found.shares) if share]
    if len(seen) > 1:
        return None
    but = " or ignored" if seen and found.ignored else ""
    what = f"every pixel of side {name} is {f'of class {seen[0]}' if seen else 'ignored'}{but}"
    hint = "Are the palette or the values of the labels' dataset those of the files? labels_from_values reads indices."
    return Suspicion("constant_class", name, what, hint)


def class_indices(name: SideName, found: ImageStatistics) -> Suspicion | None:
    """Class indices used as the gray values of an image.

    Suspicious are integers of one band and at most 64 distinct values in flat areas, where neighbors often differ by
    more than one of these values. Resizing interpolates them: 1 1 1 3 3 becomes 1 2 3 3, and 2 is another class. Two
    values alone, such as 0 and 255, have no third one in between, and are sound as an image. The remedy is a dataset
    that reads label maps.
    """
    seen = found.neighbors
    if seen is None or len(seen.levels) < 3 or seen.crossings < _LEAST_CROSSINGS or seen.areas < _LEAST_AREAS:
        return None
    values = _listed(seen.levels)
    what = f"side {name} has only the values {values}, in flat areas, as maps of classes have, and is used as an image"
    hint = "Resizing mixes them into other classes; labels_from_values reads them as labels."
    return Suspicion("class_indices", name, what, hint)


def unused_range(name: SideName, found: ImageStatistics) -> Suspicion | None:
    """Nearly all values in less than an eighth of the side's range.

    So are 12 bits in a file of 16, and masks of 0 and 1: networks see almost one gray, and losses hardly change. The
    remedy is the range that the values have, or labels where they are classes.
    """
    (low, high), (black, full) = found.bulk, found.range
    used = (min(high, full) - max(low, black)) / (full - black)
    if not 0 <= used < _LEAST_USED:
        return None
    what = f"side {name} uses {100 * used:.2g}% of its range: nearly all values lie from {low:.4g} to {high:.4g}, and"
    hint = f"Set input.range_{name} = {_fitting(low, high, found.dtype)}."
    if found.levels is not None and found.bands == 1:
        hint += f" If the values {_listed(found.levels)} are classes, labels_from_values reads them as labels."
    return Suspicion("unused_range", name, f"{what} the range is {black:g} to {full:g}", hint)


def values_beyond_range(name: SideName, found: ImageStatistics) -> Suspicion | None:
    """More than a quarter of the values beyond the side's range.

    So are floats of 0 to 255 with a range of 0 to 1: networks see values far from [-1, 1], which generators cannot
    give, and pictures show them as black or white. The remedy is a wider range.
    """
    if found.beyond <= _MOST_BEYOND:
        return None
    (low, high), (black, full) = found.bulk, found.range
    what = f"{found.beyond:.0%} of side {name} is beyond its range, {black:g} to {full:g}"
    hint = f"Set input.range_{name} = {_fitting(low, high, found.dtype)}."
    what = f"{what}: nearly all values lie from {low:.4g} to {high:.4g}"
    return Suspicion("values_beyond_range", name, what, hint)


def lone_value(name: SideName, found: ImageStatistics) -> Suspicion | None:
    """One value far from all others within the range, as -9999 and 65535 for pixels without data.

    It takes most of the range, so that networks see all other values as almost one gray. The remedy is a range without
    it, which makes it black or white.
    """
    black, full = found.range
    if found.lone is None or not black <= found.lone <= full:
        return None
    what = f"several pixels of side {name} are {found.lone:g}, far from all other values: does it stand for no data?"
    hint = f"Replace it in the files, or set an input.range_{name} without it, which shows it as black or white."
    return Suspicion("lone_value", name, what, hint)


def halves_of_photos(seam: Seam) -> Suspicion | None:
    """Second sides that continue the first ones, as the halves of ordinary pictures do.

    That happens when `side_by_side` is given pictures that are no A|B pairs, and cuts each in the middle; a training
    would learn to turn left halves into right ones. Pairs with plain borders or noise there are not counted; of the
    others, two thirds have to continue. The remedy is another dataset.
    """
    if seam.decided < max(_LEAST_DECIDED, seam.pairs / 2) or seam.continued < seam.decided * 2 / 3:
        return None
    return Suspicion(
        "halves_of_photos",
        None,
        f"in {seam.continued} of {seam.pairs} pairs side b continues side a, as the halves of one picture do",
        "Are these pictures A|B pairs? side_by_side cuts every picture in the middle; two_folders takes whole ones.",
    )


def _fitting(low: float, high: float, dtype: str) -> str:
    """A range in TOML: of integers from 0 the smallest number of bits, otherwise the ends of nearly all values."""
    bits = 2 ** int(max(high, 0)).bit_length() - 1
    if low >= 0 and "int" in dtype and high - low >= bits * _LEAST_USED:
        return f"[0, {bits}]"
    digits = 0 if "int" in dtype else max(0, 2 - math.floor(math.log10(high - low)))
    step = 10.0**-digits
    return f"[{math.floor(low / step) * step:.{digits}f}, {math.ceil(high / step) * step:.{digits}f}]"


def _listed(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values[:6])) + (f", ... {values[-1]}" if len(values) > 6 else "")
