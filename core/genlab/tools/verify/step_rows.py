"""Rows of a certificate about steps that are trained again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from genlab.assemble.experiment import Built
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.errors import DataError, TrainingError
from genlab.tools.verify.allowance import Allowance
from genlab.tools.verify.certificate import CertificateRow
from genlab.tools.verify.checkpoint_difference import tensor_differences
from genlab.tools.verify.retrain import Retrained, retrain
from genlab.tools.verify.step_values import (
    StepValues,
    recorded_values,
    unrecorded,
    unrepeated,
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
    def span(self) -> tuple[int, int]:
        """The first step, and the last."""
        return self.done + 1, self.end

    @property
    def subject(self) -> str:
        """Its name in a certificate."""
        first, last = self.span
        return f"steps {first:,} to {last:,}" if last > first else f"step {first:,}"


def check_steps(
    stretch: Stretch,
    built: Built,
    run: str,
    metrics: Path,
    kept: Mapping[int, IntactCheckpoint],
    allowed: Allowance,
    on_step: Callable[[int], None],
) -> list[CertificateRow]:
    """Train steps of a run again, and compare what comes out with what the run recorded.

    Args:
        stretch: the steps.
        built: what is trained; its networks change.
        run: the run's id.
        metrics: the run's metrics.jsonl, which need not be there.
        kept: its checkpoints by step.
        allowed: how far values may be off.
        on_step: called with each step that is done.

    Raises:
        RunError: metrics.jsonl cannot be read.
    """
    recorded = recorded_values(metrics, stretch.done, stretch.end)
    checkpoint = kept.get(stretch.end)
    if not recorded and checkpoint is None:
        return [CertificateRow(stretch.subject, "not verified", _NOTHING)]
    with TemporaryDirectory(prefix="genlab-verify-") as folder:
        try:
            again = retrain(built, run, stretch.start, stretch.end, Path(folder), on_step)
        except (DataError, TrainingError) as error:
            return [CertificateRow(stretch.subject, "differs", f"trained again, it fails: {error.what}")]
        if again.checkpoint.progress.step != stretch.end:
            what = f"trained again, it ends at step {again.checkpoint.progress.step:,}"
            return [CertificateRow(stretch.subject, "differs", what)]
        compared = _compared(stretch, recorded, checkpoint, again, allowed)
        return [compared, *_values_left_out(stretch, recorded, again.values)]


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
    values = list(value_differences(recorded, again.values, "metrics.jsonl"))
    files = list(tensor_differences(checkpoint, again.checkpoint)) if checkpoint else []
    wrong = [
        *(it.words() for it in allowed.find_wrong(values)),
        *(it.words(stretch.end) for it in allowed.find_wrong(files)),
    ]
    if wrong:
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        limit = f"; allowed: {allowed.limit}" if allowed.relative else ""
        return CertificateRow(stretch.subject, "differs", f"{wrong[0]}{more}{limit}", stretch.span)
    names = recorded.keys() - set(unrepeated(recorded, again.values))
    steps = len({step for step, _ in names})
    compared = [f"{len(names)} values of {steps} step{'s' * (steps != 1)} in metrics.jsonl"] if names else []
    if checkpoint:
        compared.append(f"{len(checkpoint.digests)} files of the checkpoint of step {stretch.end:,}")
    begin = f"from the checkpoint of step {stretch.done:,}" if stretch.start else "from the start"
    how = allowed.words([*values, *files])
    detail = f"trained again {begin}: {' and '.join(compared)}, {how}"
    return CertificateRow(stretch.subject, "verified", detail, stretch.span)


def _values_left_out(stretch: Stretch, recorded: StepValues, again: StepValues) -> Iterator[CertificateRow]:
    """Rows of values that only the run has, or only the repeated training."""
    for found, reason in (
        (unrepeated(recorded, again), "only in metrics.jsonl, as no validation was due there by the recipe"),
        (unrecorded(recorded, again), "not in metrics.jsonl, which has others of these steps"),
    ):
        if found:
            step, name = found[0]
            more = f", and {len(found) - 1} more values" if len(found) > 1 else ""
            yield CertificateRow(
                f"values of {stretch.subject}", "not verified", f"{name} at step {step:,}{more}: {reason}"
            )
