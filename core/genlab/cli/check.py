"""`gen check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.options import OverridesOption, PluginOption, RecipeArgument, TrustOption

if TYPE_CHECKING:
    from genlab.assemble.memory_estimate import MemoryEstimate
    from genlab.registry.components import ComponentConfig


def check(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    plugin: PluginOption = [],  # noqa: B006
    overfit: Annotated[
        bool, typer.Option("--overfit", help="Also train on one batch of the data, which must drive the losses down.")
    ] = False,
    trust: TrustOption = False,
) -> None:
    """Validate a recipe and its components, and estimate the memory of its training, without running it."""
    import genlab
    from genlab.cli.output import load_torch, print_data, progress_bar

    load_torch()
    checked = genlab.check(recipe, overrides=overrides, plugins=plugin, trust=trust)
    print_data(f"{recipe}: OK (data not checked).")
    for key, path in _missing_paths(checked.recipe.data):
        _print_warning(f"{key}: {path} does not exist, and the training will need it.")
    try:
        _print_memory(genlab.estimate_memory(recipe, overrides=overrides, plugins=plugin, trust=trust))
    except genlab.TrainingError as error:
        print_data(f"memory: no estimate, as {error.what}.")
    if overfit:
        with progress_bar("steps on one batch") as on_progress:
            found = genlab.overfit(recipe, overrides=overrides, plugins=plugin, trust=trust, on_progress=on_progress)
        losses = ", ".join(f"{term} from {loss.first:.4g} to {loss.last:.4g}" for term, loss in found.losses.items())
        print_data(f"overfit: OK ({found.steps} steps on one batch drove {losses}).")


def _missing_paths(data: ComponentConfig) -> Iterator[tuple[str, Path]]:
    """Paths of the data that do not exist, with their keys; of several sources to choose from, any may be missing."""
    from genlab.config.validate import dotted
    from genlab.registry.components import ComponentConfig

    for name, value in data.settings.items():
        if isinstance(value, Path) and not value.exists():
            yield dotted((*data.at, name)), value
    if isinstance(source := data.settings.get("source"), ComponentConfig):
        yield from _missing_paths(source)


def _print_memory(estimate: MemoryEstimate) -> None:
    from genlab.cli.output import print_data

    print_data(f"memory: {estimate.words()}.")
    if estimate.hint:
        _print_warning(f"this may be too much. {estimate.hint}")


def _print_warning(text: str) -> None:
    from rich.text import Text

    from genlab.cli.output import make_console

    warning = Text("warning: ", "bold yellow").append(text, "default")
    make_console(stderr=True, soft_wrap=True).print(warning)
