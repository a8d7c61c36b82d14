"""Conversion of weights of pytorch-CycleGAN-and-pix2pix to a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w

from genlab.assemble.experiment import build_method, construct
from genlab.assemble.networks import build_networks
from genlab.assemble.read import CheckedRecipe, check_document
from genlab.config.diagnostics import recipe_error
from genlab.config.document import read_document
from genlab.config.overrides import read_assignments
from genlab.config.validate import inline
from genlab.engine.runtime import memory_errors
from genlab.errors import Fault, GenlabError
from genlab.registry.discovery.find import find_plugins
from genlab.runs.conversion import write_converted
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import ConversionRecord
from genlab.runs.run import Run
from genlab.tools.convert.layout import Layout
from genlab.tools.convert.recognize import recognize_layout
from genlab.tools.convert.state_dict import read_state_dict
from genlab.tools.convert.transfer import MismatchError, transfer
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.files import file_digest

_NO_FOLDER = "folder-of-pairs-not-set"
_SETTABLE = ("title", "data", "input", "generator", "inference", "evaluate")
_METRICS = ("l1", "psnr", "ssim")
_WITHOUT_WEIGHTS = ("dropout", "dropout_blocks", "padding")
"""Settings of generators that their weights do not depend on."""


@checked_arguments
def convert(weights: str | Path, *, out: str | Path | None = None, overrides: Iterable[str] = ()) -> Run:
    """Convert a generator's weights of pytorch-CycleGAN-and-pix2pix to a run, which predicts as the generator does.

    Its layers are recognized by their keys: U-Nets and residual generators, with batch, instance or no norm, with or
    without the `module.` of several GPUs. The file is read without running code of it. The run predicts by each image's
    own statistics and without dropout; `inference.normalization=running` is `test.py --eval`, and
    `inference.dropout=true` the dropout of a `test.py` without it.

    Args:
        weights: the file, such as `latest_net_G.pth`.
        out: the run's own folder, which must be new or empty; otherwise one below `runs`.
        overrides: `KEY=VALUE` texts of `title`, `data`, `input`, `generator`, `inference` and `evaluate`, such as
            `data.root=facades`, the pairs to evaluate it on.

    Raises:
        GenlabError: the file cannot be read, or has the weights of another network.
        RecipeError: an override is invalid, or contradicts the weights.
        RunError: the folder is not empty.
        StorageError: the disk is full.
    """
    path = as_path(weights)
    make_folder = _folder_maker(path, out)
    tensors = read_state_dict(path)
    layout = recognize_layout(tensors, path)
    checked = _checked_recipe(layout, path, overrides)
    recipe, document = checked.recipe, checked.document
    with memory_errors():
        networks = build_networks(recipe, layout.channels, document)
        method = build_method(recipe, networks, construct(recipe, document).losses, layout.channels, document)
    try:
        found = transfer(networks["generator"], layout.layers, tensors)
    except MismatchError as error:
        raise _misfit(error, layout, checked, path) from error
    networks["generator"].load_state_dict(found.state)
    record = ConversionRecord(
        file=str(path.absolute()), sha256=file_digest(path), layout=layout.name, left_out=list(found.left_out)
    )
    folder = make_folder()
    write_converted(folder, recipe, method, layout.channels, record)
    return Run(folder)


def _folder_maker(path: Path, out: str | Path | None) -> Callable[[], RunFolder]:
    if out is None:
        return partial(RunFolder.create_below, Path("runs"), path.stem)
    RunFolder.refuse_occupied(as_path(out))
    return partial(RunFolder.create, as_path(out))


def _checked_recipe(layout: Layout, path: Path, overrides: Iterable[str]) -> CheckedRecipe:
    given = read_assignments(overrides)
    if fixed := [key for key in given.values if key not in _SETTABLE]:
        what = f"a conversion has nothing to set in `{fixed[0]}`: it trains nothing"
        hint = f"It has settings of {', '.join(_SETTABLE)}."
        raise recipe_error([Fault((key,), what, hint, at_key=True) for key in fixed[:1]], given)
    base = read_document(tomli_w.dumps(_tables(layout, path)), f"the recipe of {path.name}")
    return check_document(given.over(base), find_plugins())


def _tables(layout: Layout, path: Path) -> dict[str, Any]:
    return {
        "title": f"{path.stem}: {layout.name}",
        "data": {"name": "genlab:side_by_side", "root": _NO_FOLDER},
        "input": {"size": layout.size},
        "method": {"name": "genlab:pix2pix"},
        "generator": dict(layout.generator),
        "losses": {"l1": {"name": "genlab:l1"}},
        "train": {"steps": 1},
        "inference": {"normalization": "image"},
        "evaluate": {"metrics": {label: {"name": f"genlab:{label}"} for label in _METRICS}},
    }


def _misfit(error: MismatchError, layout: Layout, checked: CheckedRecipe, path: Path) -> GenlabError:
    """Error of weights that are not the generator's: the layer, and the settings that would fit."""
    given = checked.recipe.networks["generator"].table()
    fitting = {key: value for key, value in layout.generator.items() if key not in _WITHOUT_WEIGHTS}
    others = {key: value for key, value in fitting.items() if given.get(key) != value}
    if not others:
        what = f"the weights are like those of {layout.name}, but for a layer: {error}"
        return GenlabError(what, where=str(path), hint="No setting of the generator gives it such a layer.")
    settings = ", ".join(f"generator.{key} = {inline(value)}" for key, value in others.items())
    what = f"{path.name} has the weights of {layout.name}: {error}"
    faults = [Fault(("generator", next(iter(others))), what, f"What fits: {settings}")]
    return recipe_error(faults, checked.document)
