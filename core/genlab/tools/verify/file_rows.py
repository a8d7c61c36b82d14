"""Rows of a certificate about a run's files, its data, and the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from genlab.assemble.experiment import Built
from genlab.assemble.recipe import Recipe
from genlab.engine.checkpoint_files import checkpoints, is_of_optimizer, step_of
from genlab.engine.checkpoint_state import IntactCheckpoint, open_checkpoint, read_progress
from genlab.errors import RunError
from genlab.runs import provenance
from genlab.runs.folder import RunFolder
from genlab.runs.loaded_content import LoadedContent
from genlab.runs.manifest import ConversionRecord, Manifest
from genlab.tools.verify.certificate import CertificateRow
from genlab.util.files import file_digest

_WORDS = {"train": "training pairs", "validation": "validation pairs"}


class CheckedCheckpoint(NamedTuple):
    """A checkpoint that a run kept.

    Args:
        row: whether its files are as they were written.
        found: the checkpoint if they are.
        is_whole: whether it has all that training on needs.
    """

    row: CertificateRow
    found: IntactCheckpoint | None
    is_whole: bool


def check_checkpoints(folder: RunFolder, manifest: Manifest) -> list[CheckedCheckpoint]:
    """Check the files of each checkpoint that a run kept against their SHA-256; oldest first."""
    found: list[CheckedCheckpoint] = []
    for path in checkpoints(folder.checkpoints_path):
        subject = f"checkpoint of step {step_of(path):,}"
        try:
            progress = read_progress(path)
            lost = [name for name in progress.parts if is_of_optimizer(name) and not (path / name).is_file()]
            there = open_checkpoint(path, manifest.id, optimizers=not lost)
        except RunError as error:
            found.append(CheckedCheckpoint(CertificateRow(subject, "differs", error.what), None, is_whole=False))
            continue
        row = CertificateRow(subject, "verified", f"SHA-256 of {len(there.digests)} files as its state.json has them")
        if not progress.parts:
            row = CertificateRow(subject, "not verified", "it is from before there were digests")
        elif lost:
            pruned = f"{row.detail}; the optimizers' state was removed, so no training goes on from it"
            row = CertificateRow(subject, "verified", pruned)
        found.append(CheckedCheckpoint(row, there, is_whole=not lost))
    return found


def missing_checkpoint_rows(manifest: Manifest, kept: Sequence[CheckedCheckpoint]) -> Iterator[CertificateRow]:
    """Row of the last checkpoint, if run.json says that there was one."""
    last = max((it.found.progress.step for it in kept if it.found), default=0)
    if not kept and not manifest.step:
        yield CertificateRow("checkpoints", "not verified", "the run has none")
    elif last < manifest.step:
        subject = f"last checkpoint, of step {manifest.step:,}"
        yield CertificateRow(subject, "not verified", "run.json says that there was one; none is intact")


def other_file_rows(folder: RunFolder, manifest: Manifest) -> Iterator[CertificateRow]:
    """Compare what a trial of an ablation observed, and name the files that no record says anything of."""
    results = manifest.results or {}
    for name, known in results.items():
        file = folder.path / name
        is_same = file.is_file() and file_digest(file) == known
        what = "SHA-256 as run.json has it" if is_same else "it is not as the trial wrote it, by its SHA-256"
        yield CertificateRow(name, "verified" if is_same else "differs", what)
    known_names = {"run.json", "recipe.toml", "metrics.jsonl", "checkpoints", "plugins", *results}
    names = sorted(path.name for path in folder.path.iterdir() if not path.name.startswith("."))
    if others := [name for name in names if name not in known_names]:
        yield CertificateRow("other files", "not verified", f"the run has no record of them: {', '.join(others)}")


def code_rows(manifest: Manifest, recipe: Recipe) -> Iterator[CertificateRow]:
    """Compare the digests of the code that results depend on."""
    if not manifest.code:
        yield CertificateRow("code", "not verified", "the run is from before code was recorded")
    now = provenance.code_digests(recipe)
    for name, known in manifest.code.items():
        if now.get(name) == known:
            yield CertificateRow(f"code of {name}", "verified", "SHA-256 of its Python files")
        else:
            what = f"its Python files have another SHA-256: {_short(known)} when trained, {_short(now.get(name))} now"
            yield CertificateRow(f"code of {name}", "differs", f"{what}; install {_made_with(manifest, name)}")


def _made_with(manifest: Manifest, name: str) -> str:
    version = (manifest.versions | manifest.plugins).get(name)
    commit = f", git commit {manifest.git['commit'][:12]} of the folder it ran in" if manifest.git else ""
    return f"the one that the run was made with ({f'version {version}' if version else name}{commit})"


def data_rows(manifest: Manifest, built: Built, loaded: Sequence[LoadedContent]) -> Iterator[CertificateRow]:
    """Compare the content of the data, and of what components load; starting weights are left out."""
    if not manifest.data.fingerprints.keys() & _WORDS.keys():
        yield CertificateRow("data", "not verified", "the run recorded no SHA-256 of its pairs")
    now = provenance.fingerprints(built.data, loaded)
    places = {"train": built.data.training.description, "validation": built.data.validation.description}
    for name, known in manifest.data.fingerprints.items():
        if name.startswith("init."):
            continue
        subject, place = _WORDS.get(name, name), f" ({places[name]})" if name in places else ""
        if now.get(name) == known:
            yield CertificateRow(subject, "verified", f"SHA-256 of their content{place}")
        else:
            what = f"the content has another SHA-256{place}: {_short(known)} when trained, {_short(now.get(name))} now"
            yield CertificateRow(subject, "differs", what)
    for name, what in provenance.changed_data(manifest, built, loaded).items():
        if name in ("condition", "target"):
            yield CertificateRow(name, "differs", what)


def start_rows(manifest: Manifest, loaded: Sequence[LoadedContent]) -> Iterator[CertificateRow]:
    """Compare the weights that networks start with."""
    now = {content.key: content for content in loaded}
    for name, known in manifest.data.fingerprints.items():
        if not name.startswith("init."):
            continue
        if name in now and now[name].fingerprint == known:
            yield CertificateRow(name, "verified", f"SHA-256 of the file: {now[name].description}")
        else:
            found = now[name].fingerprint if name in now else None
            what = f"the weights have another SHA-256: {_short(known)} when trained, {_short(found)} now"
            yield CertificateRow(name, "differs", what)


def conversion_row(conversion: ConversionRecord) -> CertificateRow:
    """Compare the file that a run was converted from."""
    subject, file = "converted file", conversion.file
    try:
        found = file_digest(Path(file))
    except OSError as error:
        return CertificateRow(subject, "not verified", f"{file} cannot be read: {error.strerror}")
    if found == conversion.sha256:
        return CertificateRow(subject, "verified", f"SHA-256 of {file} ({conversion.layout})")
    what = f"{file} has another SHA-256: {_short(conversion.sha256)} when converted, {_short(found)} now"
    return CertificateRow(subject, "differs", what)


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"
