"""Confidence intervals of scores that are means over images. Imports no torch.

They tell how far a score depends on which images were measured: the mean over all images that could have been drawn
like these lies in a 95 % interval in 95 % of all cases. The run is taken as it is, so they do not tell what another
seed's training would give; an ablation does (`genlab.ablation.statistics`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlab.util.confidence import LEVEL

MIN_BOOTSTRAP = 100
"""Fewest images for a bootstrap; of fewer, the interval is Student's."""

STUDENT_MARK = "(t)"
"""Mark of Student's intervals in tables."""

STUDENT_NOTE = f"{STUDENT_MARK}: Student's interval, of fewer than {MIN_BOOTSTRAP} images."
"""Explanation of the mark."""

_RESAMPLES = 4000
_CHUNK = 2**20
"""Values that are drawn at once."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class MeanInterval:
    """Mean over images, and its confidence interval.

    Args:
        mean: the mean.
        low: lower end of the interval.
        high: its upper end.
        n: number of images.
        method: how it was computed: `bootstrap`, or `t` for Student's interval, whose level holds for few images only
            as far as their values are distributed normally.
    """

    mean: float
    low: float
    high: float
    n: int
    method: Literal["bootstrap", "t"]


def mean_interval(values: Sequence[float], level: float = LEVEL) -> MeanInterval | None:
    """Confidence interval of the mean over images, whose values are in any order.

    From `MIN_BOOTSTRAP` images on it is the bootstrap-t interval (Efron 1981; Efron and Tibshirani 1993):
    the bootstrap's distribution of the mean's t statistic takes the place of Student's, so that the interval is as
    skewed as the values are. Its ends are no nearer to the mean than those of Student's interval, since of values with
    heavy tails it alone contains the truth too seldom. Of fewer images it is Student's. The same values have the same
    interval each time.

    Returns:
        The interval; None of fewer than two values, of equal ones, and of such as are not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    n = len(array)
    if n < 2 or not np.isfinite(array).all() or not _has_spread(array):
        return None
    mean, error = float(array.mean()), float(array.std(ddof=1)) / n**0.5
    tail = (1 - level) / 2
    student = student_quantile(1 - tail, n - 1)
    if n >= MIN_BOOTSTRAP:
        low, high = np.quantile(_bootstrap_t(array), [tail, 1 - tail], method="inverted_cdf")
        if np.isfinite([low, high]).all():
            low, high = min(float(low), -student), max(float(high), student)
            return MeanInterval(mean, mean - high * error, mean - low * error, n, "bootstrap")
    return MeanInterval(mean, mean - student * error, mean + student * error, n, "t")


def paired_interval(
    values: Mapping[str, float], baseline: Mapping[str, float], level: float = LEVEL
) -> MeanInterval | None:
    """Confidence interval of the difference of predictions of the same images: `mean_interval` of their differences.

    What makes an image hard for both drops out, so it is much narrower than their own intervals, whose overlap says
    little.

    Args:
        values: each image's value, by its key.
        baseline: those of what is subtracted; images that only one of them has are left out.
        level: the confidence.

    Returns:
        The difference and its interval; None of fewer than two images in common, and of equal or infinite differences.
    """
    return mean_interval([value - baseline[image] for image, value in values.items() if image in baseline], level)


def student_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _has_spread(array: Numbers) -> bool:
    """True unless values are equal but for rounding."""
    return bool(np.ptp(array) > 1e-12 * np.abs(array).max())


def _bootstrap_t(array: Numbers) -> Numbers:
    """The t statistics of the means of resamples, which a resample without spread makes infinite."""
    n = len(array)
    rng = np.random.default_rng(0)
    centered = array - array.mean()
    rounding = 1e-12 * np.abs(centered).max()
    rows = max(1, _CHUNK // n)
    found: list[Numbers] = []
    for start in range(0, _RESAMPLES, rows):
        drawn = centered[rng.integers(n, size=(min(rows, _RESAMPLES - start), n))]
        mean, error = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / n**0.5
        found.append(np.divide(mean, error, out=np.copysign(np.inf, mean), where=error > rounding))
    return np.concatenate(found)
