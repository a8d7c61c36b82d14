"""Data stalls: detection of networks that wait for the data loader, with advice."""

from __future__ import annotations

import logging

from genlab.engine.timing import Throughput

TOLERABLE = 0.05
WINDOW = 60.0

_log = logging.getLogger("genlab")


class DataStallMonitor:
    """Warn once when more than `TOLERABLE` of `WINDOW` seconds were spent waiting for pairs."""

    def __init__(self) -> None:
        self._seconds = self._waited = 0.0
        self._told = False

    def note(self, throughput: Throughput) -> None:
        """Add a reading of the throughput."""
        self._seconds += throughput.seconds
        self._waited += throughput.waiting * throughput.seconds
        if self._seconds < WINDOW:
            return
        share = self._waited / self._seconds
        self._seconds = self._waited = 0.0
        if share > TOLERABLE and not self._told:
            self._told = True
            _log.warning(
                "Data stall: %.0f%% of the last minute was spent waiting for pairs, which are read more slowly than "
                "the networks use them. `gen data RECIPE --cache show` shows whether they are cached; a larger "
                "GENLAB_CACHE_GIB caches more of them. Where none are, more `train.readers` help if processors are "
                "idle, and so do a faster disk or smaller files.",
                100 * share,
            )
