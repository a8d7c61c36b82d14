"""Check before a training that all pairs can be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from genlab.data.prepared import PreparedPairs
from genlab.data.read_through import ReadThroughCache
from genlab.errors import DataError

_MOST_THREADS = 8
_AT_A_TIME = 256


class Selection(NamedTuple):
    """Some of the conditions and targets of a split, by index, which are the same for those of pairs."""

    pairs: PreparedPairs
    conditions: Sequence[int]
    targets: Sequence[int]

    @staticmethod
    def of_pairs(pairs: PreparedPairs, indices: Iterable[int]) -> Selection:
        """Some of the pairs; without pairs, as both sides are walked in parallel."""
        places = list(indices)
        conditions, targets = (list(dict.fromkeys(place % count for place in places)) for count in pairs.counts)
        return Selection(pairs, conditions, targets)


def check_pairs(selections: Sequence[Selection], on_progress: Callable[[int, int], None]) -> bool:
    """Read pairs, or images without pairs, once, in threads, except those that the machine's cache already has.

    Args:
        selections: what to read.
        on_progress: called with (done, total), in pairs, or in images without pairs.

    Returns:
        True if some were read.

    Raises:
        DataError: some cannot be read or do not fit; it lists all of them.
    """
    waiting = [read for pairs, *sides in selections for read in pairs.reads(*sides)]
    faults: dict[str, DataError] = {}
    were_read = False
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="genlab-check") as pool:
        for start in range(0, len(waiting), _AT_A_TIME):
            found = pool.map(_read, waiting[start : start + _AT_A_TIME])
            for done, outcome in enumerate(found, start=start + 1):
                on_progress(done, len(waiting))
                if isinstance(outcome, DataError):
                    faults.setdefault(str(outcome), outcome)
                else:
                    were_read = were_read or outcome
    if faults:
        raise DataError.listing(list(faults.values()), "pairs")
    return were_read


def require_counted_pixels(selections: Iterable[Selection]) -> None:
    """Raise a `DataError` if no pixel of any of a split's pairs counts; of pairs without masks, all do."""
    for pairs, *sides in selections:
        indices = sorted({index for side in sides for index in side}) if pairs.is_masked else []
        masks = (pairs.joined(index, index).mask for index in indices)
        if indices and not any(mask is None or mask.any() for mask in masks):
            what = "no pixel of any pair counts, so there is nothing to learn or to measure"
            hint = "Check the masks, true where a pixel counts, or the ignored value or color."
            raise DataError(what, where=pairs.pairs.description, hint=hint)


def _read(place: tuple[ReadThroughCache, int]) -> bool | DataError:
    """Read a record if it has to be: True if it was read, or the error."""
    cache, index = place
    try:
        return cache.require(index)
    except DataError as error:
        return error
