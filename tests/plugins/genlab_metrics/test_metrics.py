import math

import numpy as np
import pytest
import torch

from genlab import DataError, Metric
from genlab_metrics.l1 import L1
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


def figure(metric: Metric, target: torch.Tensor, prediction: torch.Tensor) -> float:
    metric.update(target, target, prediction)
    return metric.compute()


def test_says_which_direction_is_better():
    assert [metric.better for metric in METRICS] == ["lower", "higher", "higher"]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("cut", [[5], [2, 3], [4, 1], [1, 1, 1, 1, 1]])
def test_does_not_depend_on_how_images_are_cut_into_batches(metric, cut):
    target, prediction = images(5), images(5, seed=1)
    each = [figure(metric(), target[i : i + 1], prediction[i : i + 1]) for i in range(5)]
    whole = metric()
    for t, p in zip(target.split(cut), prediction.split(cut), strict=True):
        whole.update(t, t, p)
    assert whole.compute() == pytest.approx(sum(each) / 5, rel=1e-5)


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


def ssim_by_windows(x: np.ndarray, y: np.ndarray) -> float:
    """The definition for one channel in [0, 1], window by window, borders mirrored."""
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    padded_x, padded_y = np.pad(x, 5, mode="reflect"), np.pad(y, 5, mode="reflect")
    values = []
    for i, j in np.ndindex(*x.shape):
        a, b = padded_x[i : i + 11, j : j + 11], padded_y[i : i + 11, j : j + 11]
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        covariance = (window * (a - mean_a) * (b - mean_b)).sum()
        luminance = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        values.append(luminance * (2 * covariance + 0.03**2) / (var_a + var_b + 0.03**2))
    return float(np.mean(values))


def test_ssim_is_that_of_the_definition():
    target, prediction = images(2)[1:], images(2, seed=1)[1:]
    prediction = 0.7 * target + 0.3 * prediction
    x, y = ((side[0].double().numpy() + 1) / 2 for side in (target, prediction))
    expected = np.mean([ssim_by_windows(x[channel], y[channel]) for channel in range(3)])
    assert figure(SSIM(), target, prediction) == pytest.approx(expected, abs=1e-5)


def test_ssim_is_one_for_equal_images_and_nothing_for_black_and_white():
    assert figure(SSIM(), images(2), images(2)) == pytest.approx(1)
    assert figure(SSIM(), constant(-1), constant(1)) == pytest.approx(0, abs=2e-4)


def test_ssim_takes_one_window_and_refuses_less():
    window = images(1)[..., :11, :11]
    assert figure(SSIM(), window, window) == pytest.approx(1)
    with pytest.raises(DataError, match=r"windows of 11 x 11 pixels, and the images have 16 x 10") as caught:
        figure(SSIM(), images(1)[..., :10, :], images(1)[..., :10, :])
    assert "leave ssim out" in str(caught.value)
