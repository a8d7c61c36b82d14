"""KID and FID are those of independent implementations, and KID's interval covers the truth."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from tests.plugins.genlab_metrics.features import Channels, as_images
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

import genlab
from genlab import Metric, Network
from genlab_metrics.fid import FID
from genlab_metrics.kid import KID


def drawn(n: int, f: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Correlated features of predictions, and of targets that differ in mean and covariance."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(f, f, generator=rng) / f**0.5
    predictions = torch.randn(n, f, generator=rng) @ mix + 0.5
    return predictions, torch.randn(n, f, generator=rng) @ mix.T * 0.8 + 0.3


def measured(metric: Metric, predictions: Tensor, targets: Tensor) -> Metric:
    images = as_images(targets)
    metric.update(images, images, as_images(predictions))
    return metric


class Given(nn.Module):
    """Features that are given, in float64."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.num_features = f

    def forward(self, images: Tensor) -> Tensor:
        return images.double().mean(dim=(2, 3))


def of_torchmetrics(metric: type, predictions: Tensor, targets: Tensor, **settings: object) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = metric(feature=Given(predictions.shape[1]), normalize=False, **settings).set_dtype(torch.float64)
        other.update(as_images(predictions), real=False)
        other.update(as_images(targets), real=True)
        value = other.compute()
    return float(value[0] if isinstance(value, tuple) else value)


@pytest.mark.parametrize(("n", "f"), [(40, 6), (700, 20), (12, 30)])
def test_kid_is_that_of_torchmetrics_over_one_subset_of_all(n: int, f: int):
    predictions, targets = drawn(n, f)
    expected = of_torchmetrics(KernelInceptionDistance, predictions, targets, subsets=1, subset_size=n)
    assert measured(KID(network=Channels(f)), predictions, targets).compute() == pytest.approx(expected, rel=1e-6)


def test_the_mean_over_subsets_estimates_the_same():
    predictions, targets = drawn(200, 6)
    torch.manual_seed(0)
    expected = of_torchmetrics(KernelInceptionDistance, predictions, targets, subsets=200, subset_size=50)
    assert measured(KID(network=Channels(6)), predictions, targets).compute() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("n", "f"), [(40, 6), (700, 20)])
def test_fid_is_that_of_torchmetrics_and_of_scipys_root(n: int, f: int):
    predictions, targets = drawn(n, f)
    found = measured(FID(network=Channels(f)), predictions, targets).compute()
    one, other = (np.cov(features.double().numpy(), rowvar=False) for features in (predictions, targets))
    shift = (predictions.double().mean(0) - targets.double().mean(0)).numpy()
    root = scipy.linalg.sqrtm(one @ other).real
    assert found == pytest.approx(float(shift @ shift + np.trace(one + other - 2 * root)), rel=1e-6)
    assert found == pytest.approx(of_torchmetrics(FrechetInceptionDistance, predictions, targets), rel=1e-6)


def test_fid_of_fewer_images_than_features_is_exact_and_said_to_be_unreliable():
    """Where the covariances commute the root is known; elsewhere rounding makes it complex."""
    metric = FID(network=Channels(30))
    assert (
        metric.description() == "compares 30 features of Channels; unreliable, as up to 30 images are too few for them"
    )
    _, targets = drawn(12, 30)
    spread = (targets.double() - targets.double().mean(0)).square().sum().item() / 11
    assert measured(metric, targets * 3, targets).compute() == pytest.approx(
        4 * targets.double().mean(0).square().sum().item() + 4 * spread, rel=1e-6
    )
    assert "unreliable, as 12 images are too few" in metric.description()
    assert "unreliable" not in measured(FID(network=Channels(3)), *drawn(12, 3)).description()


def test_equal_sets_have_no_distance():
    features, _ = drawn(50, 8)
    assert measured(FID(network=Channels(8)), features, features).compute() == pytest.approx(0, abs=1e-12)
    same = torch.ones(20, 8)
    assert measured(FID(network=Channels(8)), same, same).compute() == 0
    assert measured(KID(network=Channels(8)), same, same).compute() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("metric", [KID, FID])
def test_fewer_than_two_images_have_no_score(metric):
    one = metric(network=Channels(4))
    assert math.isnan(one.compute())
    assert math.isnan(measured(one, *drawn(1, 4)).compute())
    assert one.interval() is None
    assert measured(one, *drawn(3, 4)).compute() > -math.inf


def test_the_order_of_batches_and_processes_changes_nothing():
    """Merged counts are equal to the last bit, as every feature is kept."""
    predictions, targets = drawn(60, 5)
    whole = measured(KID(network=Channels(5)), predictions, targets)
    first = measured(KID(network=Channels(5)), predictions[:25], targets[:25])
    first.merge(measured(KID(network=Channels(5)), predictions[25:], targets[25:]))
    assert (first.compute(), first.interval()) == (whole.compute(), whole.interval())


def pairs_of(rng: np.random.Generator, n: int, shift: float, shared: float) -> tuple[Tensor, Tensor]:
    """Normal features, of which a part is common to prediction and target."""
    noise, other = rng.normal(size=(2, n, 4))
    predictions, targets = noise, shift + shared * noise + (1 - shared**2) ** 0.5 * other
    return torch.from_numpy(predictions), torch.from_numpy(targets)


def expected_kernel(one: float, other: float, f: int = 4) -> float:
    """E (x . y / f + 1)^3 of independent x ~ N(one, 1), y ~ N(other, 1) in f dimensions, by their moments."""

    def moments(mean: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        m, identity = np.full(f, float(mean)), np.eye(f)
        third = np.einsum("i,j,k->ijk", m, m, m)
        for places in ("i,jk->ijk", "j,ik->ijk", "k,ij->ijk"):
            third += np.einsum(places, m, identity)
        return m, identity + np.outer(m, m), third

    first, second, third = ((a * b).sum() for a, b in zip(moments(one), moments(other), strict=True))
    return 1 + 3 * first / f + 3 * second / f**2 + third / f**3


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_kids_interval_covers_the_truth(shared: float):
    rng, shift = np.random.default_rng(1), 0.6
    truth = expected_kernel(0, 0) + expected_kernel(shift, shift) - 2 * expected_kernel(0, shift)
    covered = 0
    for _ in range(150):
        metric = measured(KID(network=Channels(4)), *pairs_of(rng, 100, shift, shared))
        low, high = metric.interval()
        covered += low <= truth <= high
    # Three standard errors of 150 draws are 5 points. Where predictions belong to targets, an interval around the score
    # itself would cover the truth far less often.
    assert 135 <= covered <= 150


class Nothing(Network):
    pass


@pytest.mark.parametrize("metric", [KID, FID])
def test_a_network_without_features_is_refused(metric):
    with pytest.raises(ValueError, match="network: Nothing gives no features"):
        metric(network=Nothing())


def test_a_run_measures_with_the_features_of_a_run(tiny: Path, judge: Path, tmp_path: Path):
    network = f'{{name="trained_run", run="{judge}"}}'
    metrics = [f"evaluate.metrics.{label}={{network={network}}}" for label in ("kid", "fid")]
    shorter = ("train.steps=2", "evaluate.validations=1", "evaluate.previews=1")
    run = genlab.train(tiny, out=tmp_path / "run", overrides=[*metrics, *shorter])
    assert {"validation/kid", "train/kid", "gap/fid"} <= run.metrics.keys()
    assert all(math.isfinite(value) for value in run.metrics.values())
    fingerprints = run.manifest.data.fingerprints
    assert fingerprints["evaluate.metrics.kid.network.run"] == genlab.open_run(judge).fingerprint()
    events = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert any("validation/fid" in event.get("metrics", {}) for event in events)


def test_a_missing_extractor_is_told_at_its_line(tiny: Path, tmp_path: Path):
    table = f'{{network={{name="vgg", weights="{tmp_path}/vgg.pth"}}}}'
    with pytest.raises(genlab.RecipeError) as caught:
        genlab.train(tiny, out=tmp_path / "run", overrides=[f"evaluate.metrics.fid={table}"])
    (fault,) = caught.value.faults
    assert fault.path == ("evaluate", "metrics", "fid", "network", "weights")
    assert "there is no file" in str(fault)
    assert not (tmp_path / "run").exists()
