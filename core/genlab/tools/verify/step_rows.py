"""Rows of a certificate about steps that are trained again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from genlab.assemble.experiment import Built
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.errors import DataError, TrainingError
from genlab.tools.verify.allowance import Allowance
from genlab.tools.verify.certificate import CertificateRow
from genlab.tools.verify.checkpoint_difference import TensorDifference, tensor_differences
from genlab.tools.verify.retrain import Retrained, retrain
from genlab.tools.verify.step_values import (
    GRADIENT_NORM,
    StepValues,
    ValueDifference,
    recorded_values,
    value_differences,
)


class Stretch(NamedTuple):
    """Steps to train again.

    Args:
        start: the checkpoint to begin with; None for the first step.
        end: the last step.
    """

    start: IntactCheckpoint | None
    end: int

    @property
    def done(self) -> int:
        """Steps done before it."""
        return self.start.progress.step if self.start else 0

    @property
    def subject(self) -> str:
        """Its name in a certificate."""
        first = self.done + 1
        return f"steps {first:,} to {self.end:,}" if self.end > first else f"step {first:,}"


def check_steps(
    stretch: Stretch,
    built: Built,
    run: str,
    metrics: Path,
    kept: Mapping[int, IntactCheckpoint],
    allowed: Allowance,
    on_step: Callable[[int], None],
) -> CertificateRow:
    """Train steps of a run again, and compare what comes out with what the run recorded.

    Args:
        stretch: the steps.
        built: what is trained; its networks change.
        run: the run's id.
        metrics: the run's metrics.jsonl, which need not be there.
        kept: its checkpoints by step.
        allowed: how far values may be off.
        on_step: called with each step that is done.
    """
    recorded: StepValues = {}
    if metrics.exists():
        recorded = recorded_values(metrics, stretch.done, stretch.end)
    checkpoint = kept.get(stretch.end)
    if not recorded and checkpoint is None:
        return CertificateRow(stretch.subject, "not verified", _NOTHING)
    with TemporaryDirectory(prefix="genlab-verify-") as folder:
        try:
            again = retrain(built, run, stretch.start, stretch.end, Path(folder), on_step)
        except (DataError, TrainingError) as error:
            return CertificateRow(stretch.subject, "differs", f"trained again, it fails: {error.what}")
        if again.checkpoint.progress.step != stretch.end:
            what = f"trained again, it ends at step {again.checkpoint.progress.step:,}"
            return CertificateRow(stretch.subject, "differs", what)
        return _compared(stretch, recorded, checkpoint, again, allowed)


_NOTHING = (
    "the run recorded no values of them (it has no metrics.jsonl, or none of these steps), and kept no checkpoint"
)


def _compared(
    stretch: Stretch,
    recorded: StepValues,
    checkpoint: IntactCheckpoint | None,
    again: Retrained,
    allowed: Allowance,
) -> CertificateRow:
    values = list(value_differences(recorded, again.values))
    files = list(tensor_differences(checkpoint, again.checkpoint)) if checkpoint else []
    counted_values = [it for it in values if not allowed.relative or not it.name.startswith(GRADIENT_NORM)]
    counted_files = [it for it in files if not allowed.relative or it.is_network]
    wrong = [
        *(it.words() for it in counted_values if it.relative > allowed.relative),
        *(it.words(stretch.end) for it in counted_files if it.relative > allowed.relative),
    ]
    if wrong:
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        limit = f"; allowed: {allowed.relative:g} relative, as {allowed.reason}" if allowed.relative else ""
        return CertificateRow(stretch.subject, "differs", f"{wrong[0]}{more}{limit}")
    steps = len({step for step, _ in recorded})
    compared = [f"{len(recorded)} values of {steps} step{'s' * (steps != 1)} in metrics.jsonl"] if recorded else []
    if checkpoint:
        compared.append(f"{len(checkpoint.digests)} files of the checkpoint of step {stretch.end:,}")
    begin = f"from the checkpoint of step {stretch.done:,}" if stretch.start else "from the start"
    how = _agreement([*counted_values, *counted_files], [*values, *files], allowed)
    return CertificateRow(stretch.subject, "verified", f"trained again {begin}: {' and '.join(compared)}, {how}")


def _agreement(
    counted: list[ValueDifference | TensorDifference],
    found: list[ValueDifference | TensorDifference],
    allowed: Allowance,
) -> str:
    if not found:
        return "equal to the last bit"
    largest = max((it.relative for it in counted), default=0.0)
    without = "; gradient norms and optimizers' states, which are more sensitive, are not compared"
    return f"within {largest:.2g} relative; allowed: {allowed.relative:g}, as {allowed.reason}{without}"
