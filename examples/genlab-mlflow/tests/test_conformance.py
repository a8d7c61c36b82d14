"""It does all that genlab asks of a listener; the store is beside the run, so the suite is given one elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from genlab.testing import ListenerSuite

from genlab_mlflow.listener import MLflow


class TestMLflow(ListenerSuite):
    component = MLflow

    @pytest.fixture(autouse=True)
    def elsewhere(self, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "settings", {"tracking_uri": f"sqlite:///{store}"})
