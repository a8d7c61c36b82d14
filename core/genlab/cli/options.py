"""Arguments and options that several verbs share."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.completion import complete_override, complete_recipe, complete_run

if TYPE_CHECKING:
    from genlab import CheckpointChoice


class DeviceName(StrEnum):
    """Device to compute on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


def _parse_checkpoint(text: str) -> CheckpointChoice:
    if text in ("last", "best"):
        return text
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise typer.BadParameter(f'expected "last", "best" or a number of steps, got "{text}"')
    return int(text)


RecipeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="Path of a recipe, or name of a built-in one.", autocompletion=complete_recipe
    ),
]
OverridesOption = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a value of the recipe. Repeatable.",
        autocompletion=complete_override,
    ),
]
PluginOption = Annotated[
    list[Path], typer.Option("--plugin", metavar="FILE", help="Load a plugin from a Python file. Repeatable.")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.", autocompletion=complete_run)]
RunsArgument = Annotated[
    list[Path], typer.Argument(metavar="RUN", help="Folders of runs.", autocompletion=complete_run)
]
CheckpointOption = Annotated[
    Any,
    typer.Option(
        "--checkpoint",
        metavar="last|best|STEP",
        help="Checkpoint to read: the last, the best by the recipe's checkpoint.best, or that of a step.",
        parser=_parse_checkpoint,
    ),
]
DeviceOption = Annotated[DeviceName, typer.Option("--device", help="Device to predict on.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
StopAtOption = Annotated[
    int | None, typer.Option("--stop-at", min=1, metavar="N", help="Pause after N steps; resume with `gen resume`.")
]
DevicesOption = Annotated[
    int,
    typer.Option("--devices", min=1, max=1024, metavar="N", help="Train on N devices, which share each batch."),
]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="Run code that came with a run of somebody else, and remember it as trusted.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
