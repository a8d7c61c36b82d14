"""The residual generator does all that genlab asks of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import GeneratorSuite
from genlab_resnet.resnet import ResNet


class TestResNet(GeneratorSuite):
    component = ResNet
    settings: ClassVar[Mapping[str, Any]] = {"blocks": 2, "channels": 4}


class TestResNetOfFourTimesTheSize(GeneratorSuite):
    component = ResNet
    settings: ClassVar[Mapping[str, Any]] = {"blocks": 2, "channels": 4, "scale": 4, "norm": "batch", "dropout": 0.5}
