"""The best validation of a training by a score, and its end where no better one comes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from genlab.interfaces.listener import BestValidation, EarlyEnd
from genlab.interfaces.metric import Metric


def best_so_far(score: str | None, known: BestValidation | None) -> BestValidation | None:
    """The best validation at the start of a training or of a resume; None where the recipe names no score.

    Args:
        score: the recipe's `checkpoint.best`, such as `validation/ssim`.
        known: that of the checkpoint, which may be of another score.
    """
    if score is None:
        return None
    return known if known and known.score == score else BestValidation(score)


def after_validation(
    best: BestValidation, step: int, scores: Mapping[str, float], metrics: Mapping[str, Metric]
) -> BestValidation:
    """The best validation after another one. Equal values are not better, and NaN never is.

    Args:
        best: that before.
        step: steps done.
        scores: the new ones by their names, such as `validation/ssim`.
        metrics: by label.
    """
    value = scores[best.score]
    higher_is_better = metrics[best.score.split("/")[1]].higher_is_better
    is_better = value > best.value if higher_is_better else value < best.value
    if is_better or (math.isnan(best.value) and not math.isnan(value)):
        return BestValidation(best.score, step, value)
    return replace(best, since=best.since + 1)


def out_of_patience(best: BestValidation | None, patience: int | None) -> EarlyEnd | None:
    """The end of a training whose last `patience` validations were not better than one before; None otherwise."""
    if best is None or patience is None or best.since < patience:
        return None
    count = "validation was" if best.since == 1 else f"{best.since} validations were"
    than = f"better than {best.value:.4g} at step {best.step:,}" if best.is_found else "a number"
    return EarlyEnd("train.patience", f"by {best.score}, the last {count} not {than}")
