"""Check that pairs can be read, all of them before a training begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from genlab.data.prepared import PreparedPairs
from genlab.errors import DataError

_MOST_THREADS = 8
_AT_A_TIME = 256


class Selection(NamedTuple):
    """Some of the pairs of a split, by index."""

    pairs: PreparedPairs
    indices: Sequence[int]


def check_pairs(selections: Sequence[Selection], on_progress: Callable[[int, int], None]) -> None:
    """Read pairs once, in threads; those that the machine's cache has could be read before.

    Args:
        selections: the pairs to read.
        on_progress: called with (done, total), in pairs.

    Raises:
        DataError: some cannot be read or do not fit; it lists all of them.
    """
    waiting = [(pairs, index) for pairs, indices in selections for index in indices]
    faults: dict[str, DataError] = {}
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="genlab-check") as pool:
        for start in range(0, len(waiting), _AT_A_TIME):
            found = pool.map(_fault, waiting[start : start + _AT_A_TIME])
            for done, fault in enumerate(found, start=start + 1):
                on_progress(done, len(waiting))
                if fault:
                    faults.setdefault(str(fault), fault)
    if faults:
        raise DataError.listing(list(faults.values()), "pairs")


def _fault(place: tuple[PreparedPairs, int]) -> DataError | None:
    """Error of reading a pair, if there is one."""
    pairs, index = place
    try:
        pairs.require(index)
    except DataError as error:
        return error
    return None
