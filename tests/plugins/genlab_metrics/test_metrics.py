import math

import pytest
import torch
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from genlab import DataError, Metric
from genlab_metrics.l1 import L1
from genlab_metrics.ms_ssim import MultiScaleSSIM
from genlab_metrics.psnr import PSNR
from genlab_metrics.ssim import SSIM

METRICS = [L1, PSNR, SSIM]


def images(n: int, seed: int = 0) -> torch.Tensor:
    """Noise whose strength differs from image to image."""
    rng = torch.Generator().manual_seed(seed)
    strength = torch.linspace(0.1, 1, n).reshape(n, 1, 1, 1)
    return (2 * torch.rand(n, 3, 12, 16, generator=rng) - 1) * strength


def constant(value: float, *shape: int) -> torch.Tensor:
    return torch.full(shape or (1, 3, 16, 16), value, dtype=torch.float32)


def each(metric: Metric, target: torch.Tensor, prediction: torch.Tensor) -> list[float]:
    metric.update(target, target, prediction)
    return list(metric.per_image())


def figure(metric: Metric, target: torch.Tensor, prediction: torch.Tensor) -> float:
    metric.update(target, target, prediction)
    return metric.compute()


@pytest.mark.parametrize("metric", METRICS)
def test_forgets_what_was_counted_when_reset(metric):
    target, prediction = images(2), images(2, seed=1)
    used = metric()
    used.update(target, target, target)
    used.reset()
    assert math.isnan(used.compute())
    assert figure(used, target, prediction) == figure(metric(), target, prediction)


@pytest.mark.parametrize("metric", METRICS)
def test_takes_half_precision_and_gradients(metric):
    target, prediction = images(2), images(2, seed=1)
    value = figure(metric(), target, prediction.bfloat16().requires_grad_())
    assert isinstance(value, float)
    assert value == pytest.approx(figure(metric(), target, prediction), rel=0.02)


@pytest.mark.parametrize("metric", METRICS)
def test_a_prediction_that_is_not_a_number_shows(metric):
    assert math.isnan(figure(metric(), images(1), images(1) * math.nan))


def test_l1_is_the_mean_absolute_error():
    assert figure(L1(), constant(-1), constant(1)) == 2
    target, prediction = images(2), images(2, seed=1)
    assert figure(L1(), target, prediction) == pytest.approx((target - prediction).abs().mean().item())


def test_psnr_is_decibels_over_a_range_of_two():
    assert figure(PSNR(), constant(-1), constant(1)) == pytest.approx(0, abs=1e-5)
    assert figure(PSNR(), constant(0), constant(0.2)) == pytest.approx(20, rel=1e-5)
    assert figure(PSNR(), constant(0), constant(2 / 255)) == pytest.approx(20 * math.log10(255), rel=1e-5)


def test_psnr_averages_each_images_own_value():
    target = constant(0, 2, 1, 4, 4)
    prediction = torch.cat([constant(0.2, 1, 1, 4, 4), constant(0.02, 1, 1, 4, 4)])
    assert figure(PSNR(), target, prediction) == pytest.approx((20 + 40) / 2, rel=1e-5)


def test_psnr_of_an_image_without_error_is_100():
    assert figure(PSNR(), constant(0.3), constant(0.3)) == 100


@pytest.mark.parametrize("shape", [(1, 3, 11, 40), (3, 1, 32, 12), (2, 8, 16, 16)])
def test_psnr_and_ssim_are_those_of_torchmetrics(shape):
    rng = torch.Generator().manual_seed(0)
    target = 2 * torch.rand(shape, generator=rng) - 1
    prediction = (target + 0.3 * torch.randn(shape, generator=rng)).clamp(-1, 1)
    expected = structural_similarity_index_measure(
        (prediction + 1) / 2, (target + 1) / 2, data_range=1.0, reduction="none"
    )
    assert each(SSIM(), target, prediction) == pytest.approx(expected.tolist(), abs=1e-5)
    expected = peak_signal_noise_ratio(prediction, target, data_range=2.0, reduction="none", dim=(1, 2, 3))
    assert each(PSNR(), target, prediction) == pytest.approx(expected.tolist(), abs=1e-4)


def test_ssim_is_one_for_equal_images_and_nothing_for_black_and_white():
    assert figure(SSIM(), images(2), images(2)) == pytest.approx(1)
    assert figure(SSIM(), constant(-1), constant(1)) == pytest.approx(0, abs=2e-4)


def test_ssim_takes_one_window_and_refuses_less():
    window = images(1)[..., :11, :11]
    assert figure(SSIM(), window, window) == pytest.approx(1)
    with pytest.raises(DataError, match=r"windows of 11 x 11 pixels, and the images have 16 x 10") as caught:
        figure(SSIM(), images(1)[..., :10, :], images(1)[..., :10, :])
    assert "leave ssim out" in str(caught.value)


@pytest.mark.parametrize("shape", [(2, 3, 176, 190), (1, 1, 203, 180)])
def test_ms_ssim_is_that_of_torchmetrics(shape):
    rng = torch.Generator().manual_seed(0)
    target = (torch.randn(shape, generator=rng).cumsum(-1) / 8).tanh()
    prediction = (target + 0.3 * torch.randn(shape, generator=rng)).clamp(-1, 1)
    expected = multiscale_structural_similarity_index_measure(
        (prediction + 1) / 2, (target + 1) / 2, data_range=1.0, reduction="none"
    )
    assert each(MultiScaleSSIM(), target, prediction) == pytest.approx(expected.tolist(), abs=1e-5)
    assert each(MultiScaleSSIM(), target, -target) == [0.0] * shape[0], "opposed structure"


def test_ms_ssim_counts_only_pixels_that_count():
    target, mask = torch.zeros(1, 1, 176, 176), torch.ones(1, 1, 176, 176, dtype=torch.bool)
    mask[..., 88:] = False
    prediction = torch.where(mask, 0.5 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0)), target)
    whole, counted = MultiScaleSSIM(), MultiScaleSSIM()
    whole.update(target, target, prediction)
    counted.update_masked(target, target, prediction, mask)
    assert 0 < counted.compute() < whole.compute() < 1


def test_ms_ssim_refuses_small_images():
    small = constant(0, 1, 3, 175, 200)
    with pytest.raises(DataError, match="at least 176 x 176 pixels, and these have 200 x 175") as caught:
        figure(MultiScaleSSIM(), small, small)
    assert "ssim in place of ms_ssim" in str(caught.value)
