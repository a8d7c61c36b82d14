"""Arguments and options that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class DeviceName(StrEnum):
    """Device to compute on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe's path, or the name of one that ships.")
]
OverridesOption = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the recipe; may be repeated.")
]
PluginOption = Annotated[
    list[Path], typer.Option("--plugin", metavar="FILE", help="Take components from a Python file; may be repeated.")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
StopAtOption = Annotated[
    int | None, typer.Option("--stop-at", min=1, metavar="N", help="Pause after N steps, to be resumed.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
