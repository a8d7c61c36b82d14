"""Folders for a model hub: a run without what only training needs, and a model card.

<folder>/
  README.md                    the model card
  config.json                  what the networks take and give
  samples.png                  validation pairs and predictions of them, if the data are there
  .gitignore                   keeps evaluations of the folder from being uploaded
  run.json, recipe.toml, plugins/, checkpoints/      as in a run's folder
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.data.view import view_pairs
from genlab.drawing.contact_sheet import contact_sheet
from genlab.engine.checkpoint_files import is_of_optimizer, path_of
from genlab.engine.validation import pair_as_batch
from genlab.errors import DataError, RunError, StorageError
from genlab.interfaces.listener import Pictures
from genlab.runs.folder import RunFolder
from genlab.runs.output_files import TO_OVERWRITE
from genlab.runs.run import Run, warn
from genlab.tools.export.agreement import draw_images
from genlab.tools.export.description import describe_export
from genlab.tools.export.model_card import model_card
from genlab.tools.export.pretrained import CONFIG, from_pretrained, is_hub_folder
from genlab.util.files import storage_errors, write_json, write_text

_SHOWN = 4
_COMPARED = 4


_FILES = {
    "README.md",
    "config.json",
    "samples.png",
    "run.json",
    "recipe.toml",
    "plugins",
    "checkpoints",
    ".gitignore",
    ".lock",
}


def refuse_other_folder(out: Path, *, overwrite: bool) -> None:
    """Raise a `StorageError` if there is anything but an earlier export alone, which may be replaced."""
    with storage_errors(out):
        if not out.exists():
            return
    if not overwrite:
        raise StorageError("the path already exists", where=str(out), hint=TO_OVERWRITE)
    if not is_hub_folder(out):
        what = "this is not an earlier export, so it is not replaced"
        raise StorageError(what, where=str(out), hint="Choose another --out.")
    if others := sorted({path.name for path in out.iterdir()} - _FILES):
        what = f"this folder has more than an export in it, so it is not replaced: {others[0]}"
        raise StorageError(what, where=str(out), hint="Choose another --out, and copy its files here.")


def write_hub_folder(run: Run, out: Path, on_progress: Callable[[int, int], None]) -> int:
    """Write the folder, and compare predictions from it with the run's; returns how many.

    Args:
        run: the run, on the CPU.
        out: the folder, which is new, or an earlier export that is replaced.
        on_progress: called with (done, total), in images compared.

    Raises:
        StorageError: it cannot be written.
        RunError: it does not predict as the run does.
    """
    aside, earlier = (out.with_name(f".{out.name}.{os.getpid()}.{name}") for name in ("partial", "earlier"))
    try:
        with storage_errors(out):
            aside.mkdir(parents=True)
            _write(run, aside)
        _compare(run, aside, on_progress)
        with storage_errors(out):
            if out.exists():
                out.rename(earlier)
            aside.rename(out)
            shutil.rmtree(earlier, ignore_errors=True)
    finally:
        if earlier.exists() and not out.exists():
            earlier.rename(out)
        shutil.rmtree(aside, ignore_errors=True)
    return _COMPARED


def _write(run: Run, folder: Path) -> None:
    copied = RunFolder(folder)
    checkpoint = path_of(run.folder.checkpoints_path, run.step)
    target = path_of(copied.checkpoints_path, run.step)
    target.mkdir(parents=True)
    for file in sorted(checkpoint.iterdir()):
        if file.is_file() and not is_of_optimizer(file.name):
            shutil.copyfile(file, target / file.name)
    shutil.copyfile(run.folder.recipe_path, copied.recipe_path)
    for file in run.folder.plugin_files:
        copied.plugins_path.mkdir(exist_ok=True)
        shutil.copyfile(file, copied.plugins_path / file.name)
    # Where and by which words it was trained is nobody else's business.
    private = {"command": [], "machine": {name: it for name, it in run.manifest.machine.items() if name != "host"}}
    manifest = run.manifest.model_copy(update={**private, "step": run.step, "metrics": dict(run.metrics)})
    copied.write(manifest)
    write_json(folder / CONFIG, describe_export(run, None))
    write_text(folder / ".gitignore", "evaluations/\n")  # which have pictures of the data in them
    pairs = _validation_pairs(run)
    if pairs:
        _write_samples(run, pairs, folder / "samples.png")
    write_text(folder / "README.md", model_card(run, pairs=len(pairs) if pairs else None))


def _validation_pairs(run: Run) -> PreparedPairs | None:
    """The run's validation pairs; None with a warning if they are not available."""
    try:
        return run.validation_pairs()
    except DataError as error:
        warn(str(run.path), f"the card has no pictures, as the validation pairs are not available: {error.what}")
        return None


def _write_samples(run: Run, pairs: PreparedPairs, file: Path) -> None:
    """Draw validation pairs beside their predictions."""
    batches = [pair_as_batch(pairs, index, run.device) for index in evenly_spaced(len(pairs), _SHOWN)]
    condition, target = view_pairs(pairs, run.recipe.settings.evaluate)
    pictures = Pictures(
        keys=(),
        condition=np.stack([condition.picture(batch.condition[0]) for batch in batches]),
        prediction=np.stack([target.picture(run.apply(batch.condition)[0]) for batch in batches]),
        target=np.stack([target.picture(batch.target[0]) for batch in batches]),
        condition_caption=condition.caption,
        target_caption=target.caption,
        is_paired=pairs.pairs.is_paired,
    )
    contact_sheet(pictures.columns).save(file)


def _compare(run: Run, folder: Path, on_progress: Callable[[int, int], None]) -> None:
    read = from_pretrained(folder, device="cpu")
    images = draw_images(_COMPARED, run.manifest.channels[0], run.direction().trained)
    for done, image in enumerate(images.split(1), start=1):
        if not torch.equal(read.apply(image), run.apply(image)):
            raise RunError("what was written does not predict as the run does", where=str(run.path))
        on_progress(done, len(images))
