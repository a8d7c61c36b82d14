from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import genlab
from genlab import Network
from genlab_losses.perceptual import Perceptual


class Halves(Network):
    """The image, and its left half twice as bright."""

    feature_channels = (1, 1)

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.norm = nn.BatchNorm2d(1)

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        return [images[0], self.scale * images[0][..., :1]]


TARGET = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
PREDICTION = torch.tensor([0.5, 0.0]).view(1, 1, 1, 2)


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"distance": "l1"}, ((0.5 + 1) / 2 + 1) / 2),
        ({"distance": "l2"}, ((0.25 + 1) / 2 + 1) / 2),
        ({}, ((0.25 + 1) / 2 + 1) / 2),
        ({"feature_weights": [0.5, 3.0]}, 0.5 * (0.25 + 1) / 2 + 3.0 * 1),
    ],
)
def test_is_the_distance_of_features(settings, value):
    assert Perceptual(network=Halves(), **settings)(TARGET, TARGET, PREDICTION).item() == pytest.approx(value)


def test_the_network_stays_as_it_is():
    loss = Perceptual(network=Halves()).train()
    prediction = PREDICTION.clone().requires_grad_()
    loss(TARGET, TARGET, prediction).backward()
    assert prediction.grad.any()
    assert all(parameter.grad is None for parameter in loss.network.parameters())
    assert not any(module.training for module in loss.network.modules())


def test_a_network_without_features_and_weights_of_another_number_are_refused():
    with pytest.raises(ValueError, match="network: Network gives no features"):
        Perceptual(network=Network())
    with pytest.raises(ValueError, match="feature_weights has 3 numbers; expected 2"):
        Perceptual(network=Halves(), feature_weights=[1.0, 1.0, 1.0])


def test_a_run_of_ones_own_sees_the_difference(tiny: Path, judge: Path, tmp_path: Path, caplog):
    network = f'{{name="trained_run", run="{judge}"}}'
    losses = f"losses={{adversarial=false, l1=false, perceptual={{weight=10, network={network}}}}}"
    shorter = ("train.steps=4", "evaluate.validations=1", "evaluate.previews=1")
    run = genlab.train(tiny, out=tmp_path / "run", overrides=[losses, *shorter])
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    values = [line["losses"]["generator/perceptual"] for line in lines if line["event"] == "step"]
    assert len(values) == 4
    assert all(value > 0 for value in values)
    fingerprints = run.manifest.data.fingerprints
    assert fingerprints["losses.perceptual.network.run"] == genlab.open_run(judge).fingerprint()
    # The feature network's weights are not the run's own, and predictions do not need them.
    assert not any("perceptual" in path.name for path in run.path.glob("checkpoints/*/*"))
    image = np.zeros((32, 32, 3), np.uint8)
    expected = genlab.open_run(run.path).predict(image, size="stored")
    lost = judge.rename(tmp_path / "elsewhere")
    try:
        opened = genlab.open_run(run.path)
        assert np.array_equal(opened.predict(image, size="stored"), expected)
        assert "Predictions are made without the loss perceptual" in caplog.text
        with pytest.raises(genlab.GenlabError, match="there is no such folder"):
            opened.method.losses["perceptual"].loss(None, None, None)
    finally:
        lost.rename(judge)


def test_a_missing_run_is_told_at_its_line(tiny: Path, tmp_path: Path):
    table = f'{{network={{name="trained_run", run="{tmp_path}/nowhere"}}}}'
    with pytest.raises(genlab.RecipeError) as caught:
        genlab.train(tiny, out=tmp_path / "run", overrides=[f"losses.perceptual={table}"])
    (fault,) = caught.value.faults
    assert fault.path == ("losses", "perceptual", "network", "run")
    assert "Train one with gen run" in str(fault)
    assert not (tmp_path / "run").exists()
