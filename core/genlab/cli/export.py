"""`gen export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.options import CheckpointOption, JsonOption, RunArgument, TrustOption
from genlab.cli.predict import Side

if TYPE_CHECKING:
    from genlab import Exported


class FormatName(StrEnum):
    """Format to export to."""

    ONNX = "onnx"
    TORCH = "torch"
    HUB = "hub"


def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option(metavar="PATH", help="File to write; for a hub, folder.")],
    form: Annotated[
        FormatName,
        typer.Option(
            "--format", help="ONNX (needs the extra onnx), a file of torch.export, or a folder with a model card."
        ),
    ] = FormatName.ONNX,
    to: Annotated[
        Side | None,
        typer.Option(help="Side that a file predicts; the other one than the target is the way back, if there is one."),
    ] = None,
    checkpoint: CheckpointOption = "last",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Export trained networks to a file that predicts as the run does, which is checked, or to a folder for a hub."""
    import genlab
    from genlab.cli.output import print_data, print_json, progress_bar

    with progress_bar("images compared") as on_progress:
        exported = genlab.export_run(
            run,
            out,
            file_format=form.value,
            checkpoint=checkpoint,
            to=to.value if to else None,
            overwrite=overwrite,
            trust=trust,
            on_progress=on_progress,
        )
    if json:
        print_json({"format": form.value, **exported._asdict(), "path": str(exported.path)})
        return
    print_data(str(exported.path))
    if form is FormatName.HUB:
        _print_advice(exported)
    else:
        _print_agreement(exported)


def _print_agreement(exported: Exported) -> None:
    from genlab.cli.output import make_console

    least = f"differ from the run's by {exported.difference:.2g} at most" if exported.difference else "equal the run's"
    agreement = f"Predictions of {exported.images} images {least}."
    height, width = exported.size or (None, None)
    size = f"{height} x {width} pixels only" if exported.size else f"multiples of {exported.size_multiple} pixels"
    batch = "any batch" if exported.batch is None else f"batch {exported.batch} only"
    make_console().print(f"{agreement} Step {exported.step:,}; {size}, {batch}.", style="dim", soft_wrap=True)


def _print_advice(exported: Exported) -> None:
    from genlab.cli.output import make_console

    advice = (
        f"Its predictions of {exported.images} images equal the run's. Before you publish it: add a license to the head"
        " of README.md, see whether the pictures may be shown, and read that file, recipe.toml and run.json, which name"
        " folders of this machine."
    )
    make_console().print(advice, style="dim", soft_wrap=True)
