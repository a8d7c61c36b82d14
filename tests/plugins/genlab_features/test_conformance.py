"""The networks do all that genlab asks of networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plugins.genlab_features.weights import random_weights, write_weights

from genlab.testing import NetworkSuite
from genlab_features.trained_run import TrainedRun
from genlab_features.vgg import VGG


class TestVGG(NetworkSuite):
    component = VGG

    @pytest.fixture(autouse=True)
    def weighted(self, tmp_path: Path) -> None:
        self.settings = {"weights": write_weights(tmp_path / "vgg.pth", random_weights(2)), "layers": ["relu1_2"]}


class TestTrainedRun(NetworkSuite):
    component = TrainedRun

    @pytest.fixture(autouse=True)
    def judging(self, judge: Path) -> None:
        self.settings = {"run": judge}
