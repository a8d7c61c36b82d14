"""It does all that genlab asks of a listener."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import ListenerSuite

from genlab_csv.listener import CSV


class TestCSV(ListenerSuite):
    component = CSV


class TestCSVPerImage(ListenerSuite):
    component = CSV
    settings: ClassVar[Mapping[str, Any]] = {"per_image": True}
