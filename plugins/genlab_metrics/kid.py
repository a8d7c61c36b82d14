"""The kernel distance of features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor
from typing_extensions import override

from genlab_metrics.feature_sets import FeatureSets

_ROWS = 512
"""Rows of a matrix of kernels that are in memory at once."""


class KID(FeatureSets):
    """The squared maximum mean discrepancy of features (Binkowski et al. 2018, arXiv 1801.01401).

    The kernel is (x . y / f + 1)^3 for f features; sums leave out an image with itself, so the score is unbiased for
    sets that are drawn independently, may be below 0, and of equal distributions is 0 on average. It is KID as
    published only with the features of `inception_fid`. It is of whole sets: the customary mean over random subsets has
    the same expectation, more noise, and depends on the draw. Computed in float64. Pixels that do not count, at which
    both sides agree, are seen too.

    Its interval is the jackknife's, Student's of pseudo-values (Tukey 1958), each of which leaves out an image with its
    target. There an image is not compared with its own target either: predictions that resemble their own targets lower
    the score by about 1 / n, so it may lie below its interval, whose middle is free of that. It is
    wider than it need be where both sets are of nearly the same distribution, as two sets of real images are: in
    simulations a 95 % interval of 100 images contained the truth there 98 to 99 times of 100. With fewer images its
    level is not assured.

    Args:
        network: whose last feature is compared, its mean over positions, such as
            `{ name = "inception_fid", weights = "pt_inception-2015-12-05-6726825d.pth" }`, or
            `{ name = "trained_run", run = "runs/judge" }`.

    Raises:
        ValueError: the network gives no features.
    """

    @override
    def compare(self, predictions: Float64[Tensor, "n f"], targets: Float64[Tensor, "n f"]) -> float:
        sums = _sums(predictions, targets)
        n = len(predictions)
        return (sums.within.sum() / (n * (n - 1)) - 2 * sums.between.sum() / n**2).item()

    @override
    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        from scipy.special import stdtrit

        n = self.count
        if n < 4:
            return None
        sums = _sums(*self.features())
        rows = sums.within - 2 * (sums.between - sums.own)
        total = rows.sum()
        without = (total - 2 * rows) / ((n - 1) * (n - 2))
        pseudo_values = total / (n - 1) - (n - 1) * without
        middle, error = pseudo_values.mean().item(), pseudo_values.std().item() / n**0.5
        half = float(stdtrit(n - 1, (1 + level) / 2)) * error
        return middle - half, middle + half


class _Sums(NamedTuple):
    """Sums of kernels for each image.

    Args:
        within: with the other predictions, and of its target with the other targets.
        between: of its prediction with all targets, and of its target with all predictions, halved.
        own: of its prediction with its target.
    """

    within: Float64[Tensor, " n"]
    between: Float64[Tensor, " n"]
    own: Float64[Tensor, " n"]


def _sums(predictions: Float64[Tensor, "n f"], targets: Float64[Tensor, "n f"]) -> _Sums:
    sets = (predictions, targets)
    within = torch.stack([_row_sums(one, one) - _own(one, one) for one in sets]).sum(dim=0)
    between = (_row_sums(predictions, targets) + _row_sums(targets, predictions)) / 2
    return _Sums(within, between, _own(predictions, targets))


def _own(one: Float64[Tensor, "n f"], other: Float64[Tensor, "n f"]) -> Float64[Tensor, " n"]:
    """The kernel of each row with the other set's row in its place."""
    return _kernel((one * other).sum(dim=1), one.shape[1])


def _row_sums(one: Float64[Tensor, "n f"], other: Float64[Tensor, "n f"]) -> Float64[Tensor, " n"]:
    """The sum of each row's kernels with all rows of another set."""
    return torch.cat([_kernel(rows @ other.T, one.shape[1]).sum(dim=1) for rows in one.split(_ROWS)])


def _kernel(products: Float64[Tensor, "..."], width: int) -> Float64[Tensor, "..."]:
    return (products / width + 1) ** 3
