"""The bridge does all that genlab asks of a method."""

from __future__ import annotations

from genlab.testing import MethodSuite
from genlab_bridge.method import Bridge


class TestBridge(MethodSuite):
    component = Bridge
