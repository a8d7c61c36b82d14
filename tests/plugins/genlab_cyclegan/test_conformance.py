"""The method of CycleGAN does all that genlab asks of methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import MethodSuite
from genlab_cyclegan.method import CycleGAN


class TestCycleGAN(MethodSuite):
    component = CycleGAN
    settings: ClassVar[Mapping[str, Any]] = {"identity": 0.5}
