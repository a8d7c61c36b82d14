"""Verification of a run, which nothing is written into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.assemble.role_tables import aligned
from genlab.config.changed_values import changed_values
from genlab.engine.runtime import choose_device
from genlab.errors import ArgumentError, RunError
from genlab.registry.discovery.trust import trusting
from genlab.runs.folder import RunFolder
from genlab.runs.output_files import refuse_unwritable
from genlab.runs.reading import read_run
from genlab.tools.verify.certificate import Certificate
from genlab.tools.verify.verification import Verification
from genlab.util import environment
from genlab.util.arguments import as_path, at_least, checked_arguments
from genlab.util.files import write_json, write_text


@checked_arguments
def verify(
    run: str | Path,
    *,
    overrides: Iterable[str] = (),
    steps: int | None = None,
    device: str | None = None,
    tolerance: float | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Certificate:
    """Verify a run against what it recorded: data, code and checkpoints by SHA-256, and steps that are trained again.

    The first steps are trained again, and those between the last two checkpoints that it kept, in a temporary folder,
    and compared with the values in its metrics.jsonl and with its checkpoints. Nothing is written into the run.

    Args:
        run: the run's folder.
        overrides: `KEY=VALUE` texts that say where the data are now, such as `data.root=/new/place`.
        steps: how many first steps to train again; by default those to the first values that the run recorded.
        device: where to train: auto, cpu, cuda or mps; by default where the run was trained.
        tolerance: largest relative difference of values; by default 0 on the CPU and with the PyTorch that trained the
            run, and elsewhere 0.05.
        out: file to write the certificate to, as Markdown, or as JSON if its name ends in `.json`.
        overwrite: whether to replace that file.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in steps.

    Raises:
        RunError: not a run, it is being trained, several processes trained it, its recipe or its plugins were edited,
            or it has fewer steps.
        StorageError: the file exists, or cannot be written.
    """
    at_least(1, steps, "steps")
    if tolerance is not None and not 0 <= tolerance <= 1:
        raise ArgumentError(f"expected a number from 0 to 1, got {tolerance}", where="tolerance")
    target = as_path(out) if out is not None else None
    if target is not None:
        refuse_unwritable(target, overwrite=overwrite)
    folder = RunFolder.existing(as_path(run))
    with trusting(trust):
        environment.refuse_several_processes()
        if device is not None:
            choose_device(device)
        manifest = folder.read()
        if manifest.status == "running":
            raise RunError("another process is training this run", where=str(folder.path), hint="Verify it afterwards.")
        if (most := max((part.count for part in manifest.processes), default=1)) > 1:
            what = f"{most} processes trained this run, and it would be trained again by one, with other roundings"
            raise RunError(what, where=str(folder.path), hint="Train it again by the command in its run.json.")
        checked = _with_places(read_run(folder), list(overrides), folder)
        certificate = Verification(folder, manifest, checked, steps, device, tolerance, on_progress).certificate()
    if target is not None:
        _write(certificate, target)
    return certificate


def _with_places(checked: CheckedRecipe, overrides: Sequence[str], folder: RunFolder) -> CheckedRecipe:
    """The recipe with other places of what it reads, whose content is compared."""
    found = with_overrides(checked, overrides) if overrides else checked
    compared = folder.stored().data.fingerprints
    for change in changed_values(*aligned(checked.tables(), found.tables())):
        if not change.key.startswith("data.") and change.key not in compared:
            what = f"only the places of what a run reads can be others, and {change.key} would be"
            hint = "Such as: --set data.root=/new/place, or --set init.generator.from=/new/place"
            raise RunError(what, where=str(folder.path), hint=hint)
    return found


def _write(certificate: Certificate, path: Path) -> None:
    """Write a certificate, as JSON to a file whose name ends in `.json`, otherwise as Markdown."""
    if path.suffix.lower() == ".json":
        write_json(path, certificate.as_json())
    else:
        write_text(path, certificate.markdown())
