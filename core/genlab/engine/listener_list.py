"""Dispatch of events to listeners (callbacks); a failing listener does not affect the run."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from pydantic import JsonValue, TypeAdapter, ValidationError

from genlab.engine.checkpoint_state import ListenerState
from genlab.engine.requests import require_request
from genlab.errors import PluginError
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
from genlab.interfaces.request import Request
from genlab.util.exceptions import summarize_with_location

Event = Started | Step | Previewed | Validated | CheckpointSaved | Ended | Compared | Probed

_MOST = 2**20
"""Maximum size in bytes of a listener's state, which is a part of the checkpoint's `state.json`."""
_VALUES = TypeAdapter(dict[str, JsonValue])

_log = logging.getLogger("genlab")


class ListenerList:
    """The listeners of a run. One that raises is reported once, by name, and receives no more events."""

    def __init__(self, listeners: Sequence[tuple[str, Listener]]) -> None:
        self._listeners = list(listeners)

    def emit(self, event: Event) -> list[tuple[str, Request]]:
        """Dispatch an event to every listener; returns their requests, each with its listener's label."""
        requests: list[tuple[str, Request]] = []
        for label, listener in tuple(self._listeners):
            with self._guarded(label, listener):
                if request := dispatch(listener, event):
                    requests.append((label, request))
        return requests

    def states(self) -> dict[str, ListenerState]:
        """The states of listeners that have one, by label."""
        states: dict[str, ListenerState] = {}
        for label, listener in tuple(self._listeners):
            with self._guarded(label, listener):
                if values := checked_state(listener):
                    states[label] = ListenerState(component=type(listener).__qualname__, values=values)
        return states

    def load_states(self, states: Mapping[str, ListenerState]) -> None:
        """Restore the states of a checkpoint; those of listeners that the recipe no longer has are left out."""
        for label, state in states.items():
            same = [it for it in self._listeners if it[0] == label and type(it[1]).__qualname__ == state.component]
            if not same:
                what = "The checkpoint has a state of the listener `%s` (%s), which the run no longer has; it is left."
                _log.warning(what, label, state.component)
            for _, listener in same:
                with self._guarded(label, listener):
                    listener.load_state(state.values)

    @contextmanager
    def _guarded(self, label: str, listener: Listener) -> Generator[None, None, None]:
        """Context in which a listener may raise whatever it wants: it is dropped, with a warning."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a listener is a guest: whatever it raises, the run continues)
            self._listeners.remove((label, listener))
            what = "The listener `%s` failed and is switched off; the run continues. %s"
            _log.warning(what, label, summarize_with_location(error))


def checked_state(listener: Listener) -> dict[str, JsonValue]:
    """The state of a listener; `PluginError` if it is not of JSON values, or too large."""
    given = listener.state()
    try:
        values = _VALUES.validate_python(given)
        size = len(json.dumps(values, ensure_ascii=False).encode())
    except (ValidationError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        what = "its state() is not made of JSON values (dicts by text, lists, texts, numbers, booleans and None)"
        raise PluginError(f"{what}: {reason}") from error
    if size > _MOST:
        raise PluginError(f"its state() has {size:,} bytes; expected at most {_MOST:,}")
    return values


def dispatch(listener: Listener, event: Event) -> Request | None:
    """Pass an event to one listener; returns its request."""
    match event:
        case Started():
            listener.started(event)
        case Step():
            return require_request(listener.step(event), "its step()")
        case Previewed():
            listener.previewed(event)
        case Validated():
            return require_request(listener.validated(event), "its validated()")
        case CheckpointSaved():
            listener.checkpoint_saved(event)
        case Ended():
            listener.ended(event)
        case Compared():
            listener.compared(event)
        case Probed():
            listener.probed(event)
    return None
