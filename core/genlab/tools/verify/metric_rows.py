"""Rows of a certificate about the metrics in run.json, which are measured again with the weights of a checkpoint."""

from __future__ import annotations

from typing import NamedTuple

from genlab.assemble.experiment import Built
from genlab.engine.checkpoint import load_method
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.inference import Predictor
from genlab.engine.runtime import cpu_threads, memory_errors, tf32_and_autotune
from genlab.engine.seeding import derived_seed, isolated_rng, seed_random_numbers
from genlab.engine.timing import due
from genlab.engine.validation import validate
from genlab.errors import DataError, RunError, TrainingError
from genlab.runs.manifest import Manifest
from genlab.tools.verify.allowance import Allowance
from genlab.tools.verify.certificate import CertificateRow
from genlab.tools.verify.step_values import StepValues, value_differences


class RecordedMetrics(NamedTuple):
    """Metrics that run.json has of a step.

    Args:
        subject: their name in a certificate.
        step: after which they were measured.
        metrics: by name.
    """

    subject: str
    step: int
    metrics: dict[str, float]


def measurements(manifest: Manifest) -> list[RecordedMetrics]:
    """The metrics that run.json has: those of the last validation, and that of the best one."""
    found = [RecordedMetrics("metrics in run.json", manifest.step, manifest.metrics)] if manifest.metrics else []
    if manifest.best and manifest.best.is_found:
        best = {manifest.best.score: manifest.best.value}
        found.append(RecordedMetrics("best validation in run.json", manifest.best.step, best))
    return found


def was_validated(measurement: RecordedMetrics, manifest: Manifest, built: Built) -> bool:
    """True if a measurement is known to be of its step: a killed run may have been validated after its checkpoint."""
    if manifest.best and manifest.best.step == measurement.step:
        return True
    settings = built.recipe.settings
    is_due = due(measurement.step, settings.train.steps, settings.evaluate.validations) or manifest.ended_early
    return manifest.status in ("finished", "paused") and bool(is_due)


def check_metrics(
    measurement: RecordedMetrics, built: Built, checkpoint: IntactCheckpoint, allowed: Allowance
) -> CertificateRow:
    """Measure metrics again, and compare them.

    Args:
        measurement: what run.json has.
        built: the run; its networks get the weights of the checkpoint.
        checkpoint: of the measurement's step.
        allowed: how far values may be off.
    """
    subject, step, metrics = measurement
    try:
        with memory_errors():
            scores = _measure(built, checkpoint)
    except (DataError, RunError, TrainingError) as error:
        return CertificateRow(subject, "differs", f"measured again, it fails: {error.what}")
    differences = list(value_differences(_values(step, metrics), _values(step, scores), "run.json"))
    if wrong := allowed.find_wrong(differences):
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        limit = f"; allowed: {allowed.limit}" if allowed.relative else ""
        return CertificateRow(subject, "differs", f"{wrong[0].words()}{more}{limit}")
    count = f"{len(metrics)} metric{'s' * (len(metrics) != 1)}"
    how = f"{count} measured again with the weights of step {step:,}, {allowed.words(differences)}"
    return CertificateRow(subject, "verified", how)


def _measure(built: Built, checkpoint: IntactCheckpoint) -> dict[str, float]:
    experiment, settings = built.experiment, built.recipe.settings
    load_method(checkpoint, experiment.method, settings.averaged)
    with cpu_threads(settings.train.threads), tf32_and_autotune(experiment.device), isolated_rng(experiment.device):
        seed = derived_seed(settings.seed, "validation", checkpoint.progress.step)
        seed_random_numbers(seed, experiment.device)
        return validate(experiment, Predictor(experiment.method, settings.inference), lambda: False).scores


def _values(step: int, metrics: dict[str, float]) -> StepValues:
    return {(step, name): value for name, value in metrics.items()}
