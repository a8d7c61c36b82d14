"""Ctrl-C and SIGTERM as a request to stop after the step that is under way."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

_log = logging.getLogger("genlab")


class StopSignal:
    """While entered, the first signal sets a flag, which calling this object tells; a second one breaks off at once.

    Away from the main thread signals belong to somebody else, and nothing is changed.

    Args:
        words: what to tell the person when the first signal comes.
    """

    signals = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

    def __init__(
        self, words: str = "Stopping: the run is saved after this step. Once more breaks off at once."
    ) -> None:
        self.words = words
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """True once a signal was received."""
        return self.received is not None

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            # What is ignored, as by nohup, stays so.
            wanted = [number for number in self.signals if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._receive) for number in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is KeyboardInterrupt and self.received is not None:
            _log.warning("Broken off: what was done since the last checkpoint is lost.")

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
        # A stream that is in the middle of a write takes no other.
        with suppress(RuntimeError):
            _log.warning(self.words)
