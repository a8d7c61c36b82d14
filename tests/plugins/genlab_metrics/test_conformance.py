"""The metrics do all that genlab asks of metrics, and are what they are defined to be."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.plugins.genlab_metrics.features import Channels
from torch import Tensor
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from genlab.testing import MetricSuite
from genlab_metrics.fid import FID
from genlab_metrics.kid import KID
from genlab_metrics.l1 import L1
from genlab_metrics.ms_ssim import MultiScaleSSIM
from genlab_metrics.psnr import PSNR
from genlab_metrics.ssim import SSIM


def arrays(*images: Tensor) -> list[NDArray[np.float64]]:
    return [image.double().numpy() for image in images]


class TestL1(MetricSuite):
    component = L1

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:
        truth, found = arrays(target, prediction)
        return float(np.mean([np.abs(a - b).mean() for a, b in zip(truth, found, strict=True)]))


class TestPSNR(MetricSuite):
    component = PSNR

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:
        truth, found = arrays(target, prediction)
        errors = [((a - b) ** 2).mean() for a, b in zip(truth, found, strict=True)]
        return float(np.mean([10 * np.log10(2**2 / error) for error in errors]))


class TestSSIM(MetricSuite):
    component = SSIM
    size = 16

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:
        truth, found = ((image + 1) / 2 for image in arrays(target, prediction))
        channels = zip(truth.reshape(-1, 16, 16), found.reshape(-1, 16, 16), strict=True)
        return float(np.mean([by_windows(a, b) for a, b in channels]))


def by_windows(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The structural similarity of one channel in [0, 1], window by window, borders mirrored."""
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


class TestMultiScaleSSIM(MetricSuite):
    component = MultiScaleSSIM
    size = 176

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:
        x, y = (prediction + 1) / 2, (target + 1) / 2
        return multiscale_structural_similarity_index_measure(x, y, data_range=1.0).item()


class TestKID(MetricSuite):
    component = KID

    def build(self, **supplied: Any) -> KID:
        return KID(network=Channels(), **supplied)


class TestFID(MetricSuite):
    component = FID

    def build(self, **supplied: Any) -> FID:
        return FID(network=Channels(), **supplied)
