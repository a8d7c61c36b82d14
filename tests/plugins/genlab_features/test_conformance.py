"""The networks and the metric do all that genlab asks of such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.plugins.genlab_features.inception import write_published
from tests.plugins.genlab_features.lpips import by_layers, write_small
from tests.plugins.genlab_features.weights import random_weights, write_weights
from torch import Tensor

from genlab.testing import MetricSuite, NetworkSuite
from genlab_features import inception_fid
from genlab_features.inception_fid import InceptionFID
from genlab_features.lpips import LPIPS
from genlab_features.trained_run import TrainedRun
from genlab_features.vgg import VGG


class TestVGG(NetworkSuite):
    component = VGG

    @pytest.fixture(autouse=True)
    def weighted(self, tmp_path: Path) -> None:
        self.settings = {"weights": write_weights(tmp_path / "vgg.pth", random_weights(2)), "layers": ["relu1_2"]}


class TestInceptionFID(NetworkSuite):
    component = InceptionFID

    @pytest.fixture(scope="class")
    @staticmethod
    def smallest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """A file of weights, and as few pixels as the network can see."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(inception_fid, "SIZE", 75)
            yield write_published(tmp_path_factory.mktemp("weights"), patch)

    @pytest.fixture(autouse=True)
    def weighted(self, smallest: Path) -> None:
        self.settings = {"weights": smallest}


class TestTrainedRun(NetworkSuite):
    component = TrainedRun

    @pytest.fixture(autouse=True)
    def judging(self, judge: Path) -> None:
        self.settings = {"run": judge}


class TestLPIPS(MetricSuite):
    component = LPIPS

    @pytest.fixture(autouse=True)
    def weighted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = write_small(tmp_path, monkeypatch)

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:
        return by_layers(self.settings, target, prediction).mean().item()
