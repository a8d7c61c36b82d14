"""Requests of listeners and of the method, until the loop follows them."""

from __future__ import annotations

from textwrap import shorten

from genlab.errors import PluginError
from genlab.interfaces.listener import EarlyEnd
from genlab.interfaces.request import Request, SaveCheckpoint, StopTraining
from genlab.util.escapes import one_line


class Requests:
    """Requests at the current step of a training.

    Args:
        stop: the end that was asked for before a resume.
    """

    def __init__(self, stop: EarlyEnd | None) -> None:
        self.stop = stop
        self.save = False

    def note(self, by: str, request: Request | None) -> None:
        """Note a request; of several ends, the first one counts.

        Args:
            by: key of the recipe whose component asks, such as `listeners.flat`.
            request: what it asks for.
        """
        match request:
            case StopTraining(reason):
                text = reason.encode("utf-8", "backslashreplace").decode()
                self.stop = self.stop or EarlyEnd(by, one_line(shorten(text, 300)))
            case SaveCheckpoint():
                self.save = True
            case None:
                pass


def require_request(value: object, what: str) -> Request | None:
    """Give a plugin's value back if it is a request or None; `PluginError` otherwise."""
    match value:
        case None | SaveCheckpoint():
            return value
        case StopTraining(reason=str(reason)) if reason.strip():
            return value
        case StopTraining(reason=str()):
            raise PluginError(f"{what} gave {value!r}, whose reason is empty; expected one line for people")
        case _:
            expected = "None, genlab.StopTraining(reason) or genlab.SaveCheckpoint()"
            raise PluginError(f"{what} gave {value!r}; expected {expected}")
