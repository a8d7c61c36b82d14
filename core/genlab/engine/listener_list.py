"""Dispatch of events to listeners (callbacks); a failing listener does not affect the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from genlab.interfaces.listener import (
    CheckpointSaved,
    Compared,
    Ended,
    Listener,
    Previewed,
    Probed,
    Started,
    Step,
    Validated,
)
from genlab.util.exceptions import summarize_with_location

Event = Started | Step | Previewed | Validated | CheckpointSaved | Ended | Compared | Probed

_log = logging.getLogger("genlab")


class ListenerList:
    """The listeners of a run. One that raises is reported once, by name, and receives no more events."""

    def __init__(self, listeners: Sequence[tuple[str, Listener]]) -> None:
        self._listeners = list(listeners)

    def emit(self, event: Event) -> None:
        """Dispatch an event to every listener; one that raises is dropped with a warning."""
        for entry in tuple(self._listeners):
            label, listener = entry
            try:
                dispatch(listener, event)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  (a listener is a guest: whatever it raises, the run continues)
                self._listeners.remove(entry)
                what = "The listener `%s` failed and is switched off; the run continues. %s"
                _log.warning(what, label, summarize_with_location(error))


def dispatch(listener: Listener, event: Event) -> None:
    """Pass an event to one listener."""
    match event:
        case Started():
            listener.started(event)
        case Step():
            listener.step(event)
        case Previewed():
            listener.previewed(event)
        case Validated():
            listener.validated(event)
        case CheckpointSaved():
            listener.checkpoint_saved(event)
        case Ended():
            listener.ended(event)
        case Compared():
            listener.compared(event)
        case Probed():
            listener.probed(event)
