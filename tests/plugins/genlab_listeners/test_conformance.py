"""The listeners do all that genlab asks of listeners."""

from __future__ import annotations

from genlab.testing import ListenerSuite
from genlab_listeners.console import Console
from genlab_listeners.jsonl import JSONLines
from genlab_listeners.previews import Previews


class TestConsole(ListenerSuite):
    component = Console


class TestJSONLines(ListenerSuite):
    component = JSONLines


class TestPreviews(ListenerSuite):
    component = Previews
