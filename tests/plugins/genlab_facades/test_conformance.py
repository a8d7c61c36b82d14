"""Drawn facades do all that genlab asks of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import DatasetSuite
from genlab_facades.drawn_facades import DrawnFacades


class TestDrawnFacades(DatasetSuite):
    component = DrawnFacades
    settings: ClassVar[Mapping[str, Any]] = {"count": 6, "validation_count": 3, "size": 40}
