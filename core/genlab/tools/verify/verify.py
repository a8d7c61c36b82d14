"""Verification of a run, which nothing is written into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from genlab.assemble.experiment import Built, build
from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.assemble.role_tables import aligned
from genlab.config.changed_values import changed_values
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.runtime import choose_device, device_name, memory_errors
from genlab.errors import DataError, DataUnavailableError, DeviceError, GenlabError, RecipeError, RunError
from genlab.runs import provenance
from genlab.runs.folder import RunFolder
from genlab.runs.loaded_content import LoadedContent
from genlab.runs.manifest import Manifest
from genlab.runs.reading import read_run
from genlab.runs.starting_weights import build_with_weights
from genlab.tools.verify.certificate import Certificate, CertificateRow
from genlab.tools.verify.earlier_recipe import next_change, recipe_at
from genlab.tools.verify.file_rows import check_checkpoints, code_rows, conversion_row, data_rows, start_rows
from genlab.tools.verify.allowance import find_allowance
from genlab.tools.verify.step_rows import Stretch, check_steps
from genlab.util import environment
from genlab.util.arguments import as_list
from genlab.util.files import file_digest

_FIRST, _LATER = "steps from the start", "steps between two checkpoints"


def verify_run(
    folder: RunFolder,
    overrides: Iterable[str],
    steps: int | None,
    device: str | None,
    tolerance: float | None,
    on_progress: Callable[[int, int], None],
) -> Certificate:
    """Verify a run against what it recorded; see `genlab.verify`."""
    environment.refuse_several_processes()
    manifest = folder.read()
    if manifest.status == "running":
        raise RunError("another process is training this run", where=str(folder.path), hint="Verify it afterwards.")
    checked = _with_places(read_run(folder), as_list(overrides, "overrides"), folder)
    return _Verification(folder, manifest, checked, steps, device, tolerance, on_progress).certificate()


@dataclass(frozen=True)
class _Verification:
    folder: RunFolder
    manifest: Manifest
    checked: CheckedRecipe
    steps: int | None
    device: str | None
    tolerance: float | None
    on_progress: Callable[[int, int], None]

    def certificate(self) -> Certificate:
        manifest, recipe = self.manifest, self.checked.recipe
        kept = check_checkpoints(self.folder, manifest)
        whole = [it.found for it in kept if it.found and it.is_whole]
        by_step = {it.found.progress.step: it.found for it in kept if it.found}
        if self.steps is not None and not 1 <= self.steps <= (done := max([manifest.step, *by_step])):
            what = f"expected a number of steps from 1 to {done:,}, which the run has trained, got {self.steps:,}"
            raise RunError(what, where=str(self.folder.path))
        rows = [self._recipe_row(), *code_rows(manifest, recipe), *(it.row for it in kept)]
        if not kept:
            rows.append(CertificateRow("checkpoints", "not verified", "the run has none"))
        rows += self._conversion_rows() if manifest.conversion else self._training_rows(whole, by_step)
        machine = environment.machine(device_name(choose_device(self._device_here()), recipe.settings.train.threads))
        versions = provenance.library_versions() | provenance.plugin_versions(recipe)
        return Certificate(
            run=str(self.folder.path),
            id=manifest.id,
            made=datetime.now(UTC),
            facts=self._facts(),
            rows=rows,
            versions=_both(manifest.versions | manifest.plugins, versions),
            machine=_both(manifest.machine, machine),
            hashes=self._hashes(by_step),
        )

    def _recipe_row(self) -> CertificateRow:
        files = len(self.manifest.plugin_files or ())
        plugins = f", and {files} plugin file{'s' * (files != 1)} by SHA-256" if files else ""
        return CertificateRow("recipe", "verified", f"recipe.toml has the values that run.json has{plugins}")

    def _conversion_rows(self) -> list[CertificateRow]:
        assert self.manifest.conversion is not None
        reason = (
            f"the run was converted from {self.manifest.conversion.file}: it has no training and no data of its own"
        )
        return [
            conversion_row(self.manifest.conversion),
            *(CertificateRow(name, "not verified", reason) for name in ("data", _FIRST, _LATER)),
        ]

    def _training_rows(
        self, whole: Sequence[IntactCheckpoint], kept: Mapping[int, IntactCheckpoint]
    ) -> Iterator[CertificateRow]:
        """Rows of the data, and of the steps that are trained again where the data are the run's."""
        try:
            found = self._data_rows()
        except DataError as error:
            is_gone = isinstance(error, DataUnavailableError)
            yield CertificateRow("data", "not verified" if is_gone else "differs", _words(error))
            yield from _unverified(f"the data {'are not there' if is_gone else 'cannot be read'}")
            return
        yield from found
        if any(row.outcome == "differs" for row in found):
            yield from _unverified("the data are others than the run was trained with")
            return
        try:
            choose_device(self._device_wanted())
        except DeviceError as error:
            yield from _unverified(f"{error.what}; --device cpu trains there, within a tolerance")
            return
        first, later = self._first(kept), _later(whole)
        total = sum(it.end - it.done for it in (first, later) if isinstance(it, Stretch))
        counted = 0

        def count(_step: int) -> None:
            nonlocal counted
            counted += 1
            self.on_progress(counted, total)

        for name, stretch in ((_FIRST, first), (_LATER, later)):
            if isinstance(stretch, Stretch):
                yield from self._steps(stretch, kept, count)
            else:
                yield CertificateRow(name, "not verified", stretch)
        self.on_progress(total, total)
        yield from self._other_steps([it for it in (first, later) if isinstance(it, Stretch)], kept)

    def _other_steps(
        self, stretches: Sequence[Stretch], kept: Mapping[int, IntactCheckpoint]
    ) -> Iterator[CertificateRow]:
        """Row of the steps that no stretch has."""
        done = max([self.manifest.step, *kept])
        covered = {step for it in stretches for step in range(it.done + 1, it.end + 1)}
        if left := done - len(covered):
            words = f"{left:,} of {done:,} were not trained again; --steps {done} trains all of them"
            yield CertificateRow("other steps", "not verified", words)

    def _data_rows(self) -> list[CertificateRow]:
        built = self._built(self._here(self.checked))
        return list(data_rows(self.manifest, built, provenance.loaded_by(built)))

    def _steps(
        self, stretch: Stretch, kept: Mapping[int, IntactCheckpoint], on_step: Callable[[int], None]
    ) -> Iterator[CertificateRow]:
        manifest, limit = self.manifest, next_change(self.manifest, stretch.done)
        if limit is not None and limit < stretch.end:
            words = f"a resume changed the recipe or the data at step {limit:,}, in between"
            yield CertificateRow(stretch.subject, "not verified", words)
            return
        if later := [change.step for change in manifest.data.changes if change.step > stretch.done]:
            words = f"a resume at step {later[0]:,} accepted other data, so those of these steps are not recorded"
            yield CertificateRow(stretch.subject, "not verified", words)
            return
        try:
            checked = self._here(recipe_at(self.checked, manifest, stretch.done))
            if stretch.start is None:
                built, loaded = self._built_from_start(checked)
                rows = list(start_rows(manifest, loaded))
                yield from rows
                if any(row.outcome == "differs" for row in rows):
                    raise RunError("the networks start with other weights than the run's")
            else:
                built = self._built(checked)
        except (RunError, RecipeError, DataError) as error:
            yield CertificateRow(stretch.subject, "not verified", _words(error))
            return
        machine = environment.machine(device_name(built.experiment.device, built.recipe.settings.train.threads))
        allowed = find_allowance(manifest, built.recipe, machine, provenance.library_versions(), self.tolerance)
        yield check_steps(stretch, built, manifest.id, self.folder.path / "metrics.jsonl", kept, allowed, on_step)

    def _first(self, kept: Mapping[int, IntactCheckpoint]) -> Stretch | str:
        done = max([self.manifest.step, *kept])
        if not done:
            return "the run ended before its first checkpoint"
        values_every = self.checked.recipe.settings.train.values_every
        limit = next_change(self.manifest, 0) or done
        # Those of the first step depend on no update.
        return Stretch(None, self.steps or min(max(values_every, 2), done, limit))

    def _built(self, checked: CheckedRecipe) -> Built:
        with memory_errors():
            return build(checked.recipe, checked.document)

    def _built_from_start(self, checked: CheckedRecipe) -> tuple[Built, list[LoadedContent]]:
        with memory_errors():
            return build_with_weights(checked)

    def _device_wanted(self) -> str:
        return self.device or self.checked.recipe.settings.train.device

    def _device_here(self) -> str:
        try:
            return choose_device(self._device_wanted()).type
        except DeviceError:
            return "cpu"

    def _here(self, checked: CheckedRecipe) -> CheckedRecipe:
        """The recipe for the device that is used here."""
        device = self._device_here()
        if device == checked.recipe.settings.train.device:
            return checked
        return with_overrides(checked, [f'train.device="{device}"', 'train.precision="auto"', "train.compile=false"])

    def _facts(self) -> dict[str, str]:
        manifest = self.manifest
        facts = {
            "title": manifest.title,
            "made": f"{manifest.created:%Y-%m-%d %H:%M} UTC, by {' '.join(manifest.command)}",
            "status": f"{manifest.status} at step {manifest.step:,} of {manifest.steps:,}",
        }
        if manifest.ended_early:
            facts["ended early"] = f"by {manifest.ended_early.by}: {manifest.ended_early.reason}"
        if manifest.conversion:
            facts["converted from"] = f"{manifest.conversion.file}, {manifest.conversion.layout}"
        if "changed" in manifest.facts:
            facts["changed by resumes"] = manifest.facts["changed"]
        if manifest.data.changes:
            facts["data changed"] = ", ".join(f"at step {change.step:,}" for change in manifest.data.changes)
        if manifest.git:
            changed = ", with uncommitted changes" if manifest.git.get("changed") == "yes" else ""
            facts["git"] = f"commit {manifest.git.get('commit')}{changed}, of the folder that it was started in"
        return facts

    def _hashes(self, kept: Mapping[int, IntactCheckpoint]) -> dict[str, str]:
        data = {"train": "training pairs", "validation": "validation pairs"}
        return {
            "run.json": file_digest(self.folder.manifest_path),
            "recipe.toml": file_digest(self.folder.recipe_path),
            **{data.get(name, name): digest for name, digest in self.manifest.data.fingerprints.items()},
            **{f"code of {name}": digest for name, digest in self.manifest.code.items()},
            **{
                f"checkpoints/{it.path.name}/{name}": digest
                for it in kept.values()
                for name, digest in it.digests.items()
            },
        }


def _with_places(checked: CheckedRecipe, overrides: Sequence[str], folder: RunFolder) -> CheckedRecipe:
    """The recipe with other places of its data."""
    found = with_overrides(checked, overrides) if overrides else checked
    for change in changed_values(*aligned(checked.tables(), found.tables())):
        if not change.key.startswith("data."):
            what = f"only the places of data can be others, and {change.key} would be"
            raise RunError(what, where=str(folder.path), hint="Such as: --set data.root=/new/place")
    return found


def _later(whole: Sequence[IntactCheckpoint]) -> Stretch | str:
    """The steps between the last two checkpoints that training can go on from; or why there are none."""
    if len(whole) < 2:
        return f"they need two kept checkpoints with the optimizers' state, and the run has {len(whole) or 'none'}"
    return Stretch(whole[-2], whole[-1].progress.step)


def _unverified(reason: str) -> list[CertificateRow]:
    return [CertificateRow(name, "not verified", reason) for name in (_FIRST, _LATER)]


def _words(error: GenlabError) -> str:
    where = f"{error.where}: " if error.where else ""
    return f"{where}{error.what}"


def _both(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {name: (then.get(name), now.get(name)) for name in {**then, **now}}
