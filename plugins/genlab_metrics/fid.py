"""The Fréchet distance of features."""

from __future__ import annotations

import torch
from jaxtyping import Float64
from torch import Tensor
from typing_extensions import override

from genlab_metrics.feature_sets import FeatureSets


class FID(FeatureSets):
    """The Fréchet distance of two normal distributions fitted to features (Heusel et al. 2017, arXiv 1706.08500).

    It is FID as published only with the features of FID's own Inception network, `inception_fid`. It depends on the
    number of images, and is biased upward, the more the fewer they are: compare values of equal numbers only. With no
    more images than features covariances are singular, and its description says that it is unreliable; prefer `kid`
    there. It has no interval: a bootstrap's does not contain the truth. Computed in float64. Pixels that do not count,
    at which both sides agree, are seen too.

    Args:
        network: whose last feature is compared, its mean over positions, such as
            `{ name = "inception_fid", weights = "pt_inception-2015-12-05-6726825d.pth" }`, or
            `{ name = "trained_run", run = "runs/judge" }`.

    Raises:
        ValueError: the network gives no features.
    """

    @override
    def compare(self, predictions: Float64[Tensor, "n f"], targets: Float64[Tensor, "n f"]) -> float:
        shift = predictions.mean(dim=0) - targets.mean(dim=0)
        one, other = _scaled(predictions), _scaled(targets)
        # The trace of the square root of the product of the covariances A'A and B'B is the sum of the singular values
        # of AB', so that nothing is squared, and no root is taken of what rounding has made negative.
        common = torch.linalg.svdvals(one @ other.T).sum()
        return (shift.square().sum() + one.square().sum() + other.square().sum() - 2 * common).item()

    @override
    def description(self) -> str:
        few = f"{self.count:,} images are" if self.count else f"up to {self.width:,} images are"
        unreliable = f"; unreliable, as {few} too few for them" if self.count <= self.width else ""
        return f"{super().description()}{unreliable}"


def _scaled(features: Float64[Tensor, "n f"]) -> Float64[Tensor, "r f"]:
    """A matrix whose product with itself is the covariance, with no more rows than columns."""
    centered = (features - features.mean(dim=0)) / (len(features) - 1) ** 0.5
    return torch.linalg.qr(centered, mode="r").R if len(centered) > centered.shape[1] else centered
