"""Data stalls: detection of networks that wait for pairs, with advice."""

from __future__ import annotations

import logging

from genlab.engine.timing import Throughput

TOLERABLE = 0.05
WINDOW = 60.0

_log = logging.getLogger("genlab")


class DataStallMonitor:
    """Says so, once, when more than `TOLERABLE` of `WINDOW` seconds went into waiting for pairs."""

    def __init__(self) -> None:
        self._seconds = self._waited = 0.0
        self._told = False

    def note(self, throughput: Throughput) -> None:
        """Take in how it went for a while."""
        self._seconds += throughput.seconds
        self._waited += throughput.waiting * throughput.seconds
        if self._seconds < WINDOW:
            return
        share = self._waited / self._seconds
        self._seconds = self._waited = 0.0
        if share > TOLERABLE and not self._told:
            self._told = True
            _log.warning(
                "%.0f%% of the last minute went into waiting for pairs, which are read and resized more slowly than "
                "the networks take them. `gen data RECIPE --cache show` tells whether they are kept decoded; a larger "
                "GENLAB_CACHE_GIB keeps more of them, and a faster disk or smaller files help where none are.",
                100 * share,
            )
