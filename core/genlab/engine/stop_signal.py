"""Graceful shutdown: SIGINT (Ctrl-C), SIGTERM and SIGHUP stop a training after the current step."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, ClassVar

_log = logging.getLogger("genlab")


class StopSignal:
    """Context in which the first signal sets a flag, read by calling the object; a later one stops at once.

    Signals within `grace` of the last one that counted are the same request: a terminal, a scheduler and a parent
    process may each send one. Outside the main thread the context changes nothing.

    Args:
        words: message printed at the first signal.
    """

    signals = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
    grace: ClassVar[float] = 1.0
    """Seconds; infinite in a process that only SIGKILL stops at once."""
    last: ClassVar[tuple[int, float]] = (signal.SIGINT, -math.inf)
    """The last signal that counted in this process, and its monotonic time."""

    def __init__(
        self, words: str = "Stopping: the run is saved after this step. Interrupt again to stop at once."
    ) -> None:
        self.words = words
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    @classmethod
    def note(cls, number: int) -> bool:
        """Note a signal that came now; False if it belongs to the same request as the last one."""
        now = time.monotonic()
        if now - cls.last[1] < cls.grace:
            return False
        cls.last = number, now
        return True

    def __call__(self) -> bool:
        """True once a signal was received."""
        return self.received is not None

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            # Signals that are ignored, as under nohup, stay ignored.
            wanted = [number for number in self.signals if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._receive) for number in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is KeyboardInterrupt and self.received is not None:
            _log.warning("Stopped: steps since the last checkpoint are lost.")

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            if self.note(number):
                raise KeyboardInterrupt
            return
        self.received = number
        StopSignal.last = number, time.monotonic()
        # A stream is not reentrant: the signal may have interrupted a write.
        with suppress(RuntimeError):
            _log.warning(self.words)
