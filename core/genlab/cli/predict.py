"""`gen predict`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.options import (
    CheckpointOption,
    DeviceName,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    RunArgument,
    TrustOption,
)

if TYPE_CHECKING:
    from genlab import GenlabError, PredictionSize, SampledFiles


class PredictedSplitName(StrEnum):
    """Split of the run's data."""

    VALIDATION = "validation"
    TEST = "test"


class Side(StrEnum):
    """Side of the pairs."""

    A = "a"
    B = "b"


def _parse_size(text: str) -> PredictionSize:
    if text in ("training", "stored"):
        return text
    sides = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text)
    if sides is None:
        raise typer.BadParameter(f'expected HEIGHTxWIDTH, a number of pixels, "training" or "stored", got "{text}"')
    return int(sides[1]), int(sides[2] or sides[1])


SizeOption = Annotated[
    Any,
    typer.Option(
        "--size",
        parser=_parse_size,
        metavar="SIZE",
        help="HEIGHTxWIDTH or a number of pixels to resize images to; or training, which resizes as training"
        " resized its pairs; or stored, which does not resize.",
    ),
]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        min=2,
        max=100,
        metavar="N",
        help="Predictions of each image, with other draws of dropout or the method, and a map of their spread.",
    ),
]
TileOption = Annotated[
    int | None,
    typer.Option(
        metavar="SIZE", help="Height and width in pixels of overlapping tiles, in which large images are predicted."
    ),
]
OverlapOption = Annotated[
    int | None,
    typer.Option(metavar="PIXELS", help="Overlap of neighboring tiles; a quarter of a tile by default."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Predict in tiles even where they differ from whole images, with a warning.")
]
ToOption = Annotated[
    Side | None,
    typer.Option(help="Side to predict; the other one than the target is the way back, where the method can."),
]


def predict(
    run: RunArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Output folder for the predictions.")],
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE|FOLDER", help="Image files, or folders of them.")
    ] = None,
    split: Annotated[
        PredictedSplitName | None,
        typer.Option(help="Split of the run's own data, whose pairs are predicted in place of files."),
    ] = None,
    size: SizeOption = "training",
    samples: SamplesOption = None,
    tile: TileOption = None,
    overlap: OverlapOption = None,
    force: ForceOption = False,
    to: ToOption = None,
    checkpoint: CheckpointOption = "last",
    device: DeviceOption = DeviceName.AUTO,
    overwrite: OverwriteOption = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Predict from images of any size, or a run's own pairs, and print the files of the predictions."""
    import genlab
    from genlab.cli.output import progress_bar

    if bool(images) == bool(split):
        raise typer.BadParameter("expected either images or --split", param_hint="IMAGE|FOLDER")
    if tile is None and (overlap is not None or force):
        raise typer.BadParameter("goes with --tile", param_hint="--force" if force else "--overlap")
    if samples and tile is not None:
        what = "not with --samples, as each tile of a sample would have the same noise"
        raise typer.BadParameter(what, param_hint="--tile")
    options: dict[str, Any] = {
        "checkpoint": checkpoint,
        "device": device.value,
        "size": size,
        "to": to.value if to else None,
        "overwrite": overwrite,
        "trust": trust,
    }
    options |= {"samples": samples} if samples else {"tile": tile, "overlap": overlap, "force": force}
    with progress_bar("images") as options["on_progress"]:
        try:
            if split and samples:
                written = genlab.sample_pairs(run, out, split=split.value, **options)
            elif split:
                written = genlab.predict_pairs(run, out, split=split.value, **options)
            elif samples:
                written = genlab.sample_files(run, images or [], out, **options)
            else:
                written = genlab.predict_files(run, images or [], out, **options)
        except genlab.PredictionError as error:
            _print(error.written, error.failures, json=json)
            raise
    _print(written, {}, json=json)


def _print(written: Mapping[Any, Path | SampledFiles], failures: Mapping[Any, GenlabError], *, json: bool) -> None:
    """Print the files of predictions, each on a line, or all as JSON."""
    from genlab.cli.output import print_data, print_json

    if json:
        reasons = {str(source): error.what for source, error in failures.items()}
        print_json({"written": {str(source): _plain(files) for source, files in written.items()}, "failures": reasons})
        return
    for files in written.values():
        for path in [files] if isinstance(files, Path) else [*files.samples, files.spread]:
            print_data(str(path))


def _plain(files: Path | SampledFiles) -> object:
    """The file of a prediction, or those of samples, as JSON has them."""
    return str(files) if isinstance(files, Path) else files._asdict()
