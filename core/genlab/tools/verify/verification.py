"""Comparison of a run with what it recorded: files, code, and steps that are trained again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from genlab.assemble.read import CheckedRecipe
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.runtime import choose_device, device_name
from genlab.errors import RunError
from genlab.runs import provenance
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest
from genlab.tools.verify.certificate import Certificate, CertificateRow
from genlab.tools.verify.file_rows import (
    check_checkpoints,
    code_rows,
    conversion_row,
    missing_checkpoint_rows,
    other_file_rows,
)
from genlab.tools.verify.history import history
from genlab.tools.verify.retraining import Retraining, unverified_steps
from genlab.util import environment
from genlab.util.files import file_digest


@dataclass(frozen=True)
class Verification:
    """Comparison of a run with what it recorded.

    Args:
        folder: the run's.
        manifest: its manifest.
        checked: its recipe, with the places where data are now.
        steps: how many first steps to train again; None for those to the first values that it recorded.
        device: where to train; None for where the run was trained.
        tolerance: largest relative difference of values; None for what device and versions allow.
        on_progress: called with (done, total), in steps.
    """

    folder: RunFolder
    manifest: Manifest
    checked: CheckedRecipe
    steps: int | None
    device: str | None
    tolerance: float | None
    on_progress: Callable[[int, int], None]

    def certificate(self) -> Certificate:
        """Compare everything; `RunError` if the run has fewer steps."""
        manifest, recipe = self.manifest, self.checked.recipe
        kept = check_checkpoints(self.folder, manifest)
        by_step = {it.found.progress.step: it.found for it in kept if it.found}
        retraining = Retraining(
            folder=self.folder,
            manifest=manifest,
            checked=self.checked,
            kept=by_step,
            whole=[it.found for it in kept if it.found and it.is_whole],
            steps=self.steps,
            device=self.device,
            tolerance=self.tolerance,
            on_progress=self.on_progress,
        )
        if self.steps is not None and self.steps > retraining.done:
            what = f"the run has trained {retraining.done:,} steps, and --steps {self.steps} asks for more"
            raise RunError(what, where=str(self.folder.path))
        rows = [self._recipe_row(), *code_rows(manifest, recipe), *(it.row for it in kept)]
        rows += [*missing_checkpoint_rows(manifest, kept), *other_file_rows(self.folder, manifest)]
        rows += self._conversion_rows() if manifest.conversion else retraining.rows()
        machine = environment.machine(device_name(choose_device(retraining.device_here), recipe.settings.train.threads))
        versions = provenance.library_versions() | provenance.plugin_versions(recipe)
        return Certificate(
            run=str(self.folder.path),
            id=manifest.id,
            made=datetime.now(UTC),
            steps=retraining.done,
            history=[*history(manifest, self.folder.path / "metrics.jsonl")],
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
            CertificateRow("data", "not verified", reason),
            *unverified_steps(reason),
        ]

    def _facts(self) -> dict[str, str]:
        manifest = self.manifest
        facts = {
            "title": manifest.title,
            "begun": f"{manifest.created:%Y-%m-%d %H:%M} UTC, by {' '.join(manifest.command)}",
            "status": f"{manifest.status} at step {manifest.step:,} of {manifest.steps:,}",
        }
        if manifest.ended_early:
            facts["ended early"] = f"by {manifest.ended_early.by}: {manifest.ended_early.reason}"
        if manifest.failure:
            facts["failure"] = manifest.failure.splitlines()[0]
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


def _both(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {name: (then.get(name), now.get(name)) for name in {**then, **now}}
