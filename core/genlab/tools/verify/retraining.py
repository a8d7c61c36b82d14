"""Rows of a certificate about a run's data, and about its steps, which are trained again where the data are its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genlab.assemble.experiment import Built, build
from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.runtime import choose_device, device_name, memory_errors
from genlab.errors import DataError, DataUnavailableError, DeviceError, GenlabError, RecipeError, RunError
from genlab.runs import provenance
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest
from genlab.runs.starting_weights import build_with_weights
from genlab.tools.verify.allowance import Allowance, find_allowance
from genlab.tools.verify.certificate import CertificateRow, retrained_steps
from genlab.tools.verify.earlier_recipe import next_change, recipe_at
from genlab.tools.verify.file_rows import data_rows, start_rows
from genlab.tools.verify.metric_rows import RecordedMetrics, check_metrics, measurements, was_validated
from genlab.tools.verify.step_rows import Stretch, check_steps
from genlab.tools.verify.step_values import recorded_values
from genlab.util import environment

FIRST_STEPS, LATER_STEPS = "steps from the start", "steps between two checkpoints"
"""Subjects of steps of which it is not known which they are."""


@dataclass(frozen=True)
class Retraining:
    """Check of a run's data, and training of some of its steps.

    Args:
        folder: the run's.
        manifest: the run's.
        checked: its recipe, with the places of its data.
        kept: its checkpoints by step.
        whole: those that training can go on from, oldest first.
        steps: how many first steps to train; None for a few.
        device: where to train; None for the run's.
        tolerance: largest relative difference; None for that of the machine.
        on_progress: called with (done, total), in steps.
    """

    folder: RunFolder
    manifest: Manifest
    checked: CheckedRecipe
    kept: Mapping[int, IntactCheckpoint]
    whole: Sequence[IntactCheckpoint]
    steps: int | None
    device: str | None
    tolerance: float | None
    on_progress: Callable[[int, int], None]

    def rows(self) -> Iterator[CertificateRow]:
        """Check the data, and train where they are the run's."""
        try:
            built = _build(self._here(self.checked))
            found = list(data_rows(self.manifest, built, provenance.loaded_by(built)))
        except DataError as error:
            is_gone = isinstance(error, DataUnavailableError)
            yield CertificateRow("data", "not verified" if is_gone else "differs", _words(error))
            yield from self._unverified(f"the data {'are not there' if is_gone else 'cannot be read'}")
            return
        yield from found
        if any(row.outcome == "differs" for row in found):
            yield from self._unverified("the data are others than the run was trained with")
            return
        try:
            choose_device(self._device_wanted)
        except DeviceError as error:
            yield from self._unverified(f"{error.what}; --device cpu trains there, within a tolerance")
            return
        yield from [row for it in measurements(self.manifest) for row in self._measured(it, built)]
        yield from self._step_rows(built)

    @property
    def device_here(self) -> str:
        """The device that is used here: the CPU where the run's is missing."""
        try:
            return choose_device(self._device_wanted).type
        except DeviceError:
            return "cpu"

    @property
    def done(self) -> int:
        """Number of steps that the run has trained."""
        return max([self.manifest.step, *self.kept])

    @property
    def _metrics(self) -> Path:
        return self.folder.path / "metrics.jsonl"

    @property
    def _device_wanted(self) -> str:
        return self.device or self.checked.recipe.settings.train.device

    def _here(self, checked: CheckedRecipe) -> CheckedRecipe:
        """The recipe for the device that is used here."""
        device = self.device_here
        if device == checked.recipe.settings.train.device:
            return checked
        return with_overrides(checked, [f'train.device="{device}"', 'train.precision="auto"', "train.compile=false"])

    def _unverified(self, reason: str) -> list[CertificateRow]:
        subjects = [it.subject for it in measurements(self.manifest)]
        return [*(CertificateRow(it, "not verified", reason) for it in subjects), *unverified_steps(reason)]

    def _measured(self, measurement: RecordedMetrics, fresh: Built) -> Iterator[CertificateRow]:
        """Measure again with the recipe of that step; `fresh` is what today's recipe builds."""
        checkpoint = self.kept.get(measurement.step)
        if checkpoint is None:
            reason = f"the run has no intact checkpoint of step {measurement.step:,}, where they were measured last"
        elif any(change.step >= measurement.step for change in self.manifest.data.changes):
            reason = "a resume accepted other data since"
        else:
            try:
                checked = recipe_at(self.checked, self.manifest, measurement.step - 1)
                built = fresh if checked is self.checked else _build(self._here(checked))
            except (RunError, RecipeError, DataError) as error:
                reason = _words(error)
            else:
                if was_validated(measurement, self.manifest, built):
                    yield check_metrics(measurement, built, checkpoint, self._allowance(built))
                    return
                reason = f"it is not known that they are of step {measurement.step:,}, that of the last checkpoint"
        yield CertificateRow(measurement.subject, "not verified", reason)

    def _allowance(self, built: Built) -> Allowance:
        machine = environment.machine(device_name(built.experiment.device, built.recipe.settings.train.threads))
        return find_allowance(self.manifest, built.recipe, machine, provenance.library_versions(), self.tolerance)

    def _step_rows(self, built: Built) -> Iterator[CertificateRow]:
        first, later = self._first(), self._later()
        total = sum(it.end - it.done for it in (first, later) if it)
        counted = 0

        def count(_step: int) -> None:
            nonlocal counted
            counted += 1
            self.on_progress(counted, total)

        # Data are fingerprinted whenever a recipe is built, so the one that is there is used.
        later_rows = list(self._trained(later, count, built)) if later else []
        del built
        first_rows = list(self._trained(first, count)) if first else []
        self.on_progress(total, total)
        if not first:
            yield CertificateRow(FIRST_STEPS, "not verified", "the run ended before its first checkpoint")
        yield from first_rows
        if not later:
            words = "they need two kept checkpoints with the optimizers' state, and the run has"
            yield CertificateRow(LATER_STEPS, "not verified", f"{words} {len(self.whole) or 'none'}")
        yield from later_rows
        yield from self._other_steps([*first_rows, *later_rows])

    def _first(self) -> Stretch | None:
        """The first steps; None if there are none."""
        values_every = self.checked.recipe.settings.train.values_every
        limit = next_change(self.manifest, 0) or self.done
        few = max(values_every, 2)  # no update comes before the values of the first step
        return Stretch(None, self.steps or min(few, self.done, limit)) if self.done else None

    def _later(self) -> Stretch | None:
        """The steps between the last two checkpoints that training can go on from; None if there are not two."""
        return Stretch(self.whole[-2], self.whole[-1].progress.step) if len(self.whole) > 1 else None

    def _other_steps(self, rows: Sequence[CertificateRow]) -> Iterator[CertificateRow]:
        """Row of the steps that were not trained again."""
        if left := self.done - len(retrained_steps(rows)):
            words = f"{left:,} of {self.done:,} were not trained again"
            more = "" if next_change(self.manifest, 0) else f"; --steps {self.done} trains all of them"
            yield CertificateRow("other steps", "not verified", words + more)
        if recorded_values(self._metrics, self.done, sys.maxsize):
            words = "metrics.jsonl has values of them, and the run was cut off before it kept a checkpoint of them"
            yield CertificateRow(f"steps after {self.done:,}", "not verified", words)

    def _trained(
        self, stretch: Stretch, on_step: Callable[[int], None], fresh: Built | None = None
    ) -> Iterator[CertificateRow]:
        """Train steps again with the recipe that they had; `fresh` is what today's recipe builds."""
        if reason := self._obstacle(stretch):
            yield CertificateRow(stretch.subject, "not verified", reason)
            return
        try:
            checked = recipe_at(self.checked, self.manifest, stretch.done)
            if stretch.start:
                built = fresh if fresh and checked is self.checked else _build(self._here(checked))
            else:
                with memory_errors():
                    built, loaded = build_with_weights(self._here(checked))
                rows = list(start_rows(self.manifest, loaded))
                yield from rows
                if any(row.outcome == "differs" for row in rows):
                    raise RunError("the networks start with other weights than the run's")
        except (RunError, RecipeError, DataError) as error:
            yield CertificateRow(stretch.subject, "not verified", _words(error))
            return
        allowed = self._allowance(built)
        yield from check_steps(stretch, built, self.manifest.id, self._metrics, self.kept, allowed, on_step)

    def _obstacle(self, stretch: Stretch) -> str | None:
        """The change of the recipe or the data that keeps steps from being trained again."""
        limit = next_change(self.manifest, stretch.done)
        if limit is not None and limit < stretch.end:
            return f"a resume changed the recipe or the data at step {limit:,}, in between"
        others = [change.step for change in self.manifest.data.changes if change.step > stretch.done]
        if others:
            return f"a resume at step {others[0]:,} accepted other data, and those of these steps are gone"
        return None


def unverified_steps(reason: str) -> list[CertificateRow]:
    """Rows of steps that are not trained again."""
    return [CertificateRow(name, "not verified", reason) for name in (FIRST_STEPS, LATER_STEPS)]


def _build(checked: CheckedRecipe) -> Built:
    with memory_errors():
        return build(checked.recipe, checked.document)


def _words(error: GenlabError) -> str:
    where = f"{error.where}: " if error.where else ""
    return f"{where}{error.what}"
