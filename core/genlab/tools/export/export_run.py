"""Export of a run to a file, or to a folder for a model hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from torch import Tensor
from torch.export import ExportedProgram

from genlab.engine.runtime import memory_errors
from genlab.errors import GenlabError, RunError
from genlab.interfaces.dataset import SideName
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.opening import open_run
from genlab.runs.output_files import refuse_unwritable
from genlab.runs.run import Run
from genlab.tools.export.agreement import IMAGES, draw_images, largest_difference
from genlab.tools.export.description import describe_export
from genlab.tools.export.exportable import Exportable, make_exportable
from genlab.tools.export.hub_folder import refuse_other_folder, write_hub_folder
from genlab.tools.export.onnx_file import UnsupportedOperator, encode_onnx, load_onnx, require_onnx_extra
from genlab.tools.export.torch_file import encode_torch, load_torch_program
from genlab.tools.export.trace import FREEDOMS, Freedom, trace
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.exceptions import summarize
from genlab.util.files import atomic_write

ExportFormat = Literal["onnx", "torch", "hub"]
"""An ONNX file, a file of `torch.export`, or a folder for a model hub."""


class Exported(NamedTuple):
    """An exported file or folder.

    Args:
        path: the file, or the folder.
        step: how many steps its networks were trained.
        images: how many predictions were compared with the run's.
        difference: the largest of any value.
        batch: how many images it takes at once; None for any number.
        size: height and width that it takes; None for all multiples of `size_multiple`.
        size_multiple: what height and width must be multiples of, in pixels.
    """

    path: Path
    step: int
    images: int
    difference: float
    batch: int | None
    size: tuple[int, int] | None
    size_multiple: int


class _Format(NamedTuple):
    encode: Callable[[ExportedProgram, Mapping[str, Any]], bytes]
    load: Callable[[bytes], Callable[[Tensor], Tensor]]


_FORMATS: Mapping[str, _Format] = {
    "onnx": _Format(encode_onnx, load_onnx),
    "torch": _Format(encode_torch, load_torch_program),
}


@checked_arguments
def export_run(
    run: str | Path,
    out: str | Path,
    *,
    file_format: ExportFormat = "onnx",
    checkpoint: CheckpointChoice = "last",
    to: SideName | None = None,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Exported:
    """Export the networks of a run, and compare what was exported with the run, on the CPU.

    A file computes what `Run.apply` does with images whose height and width are multiples of the networks', each
    normalized as the run does. It is written only if its predictions of 20 images agree with the run's to 1e-4, of
    scores relative to the largest. A folder for a hub has what `from_pretrained` needs to predict exactly as the run.

    Args:
        run: the run's folder.
        out: the file, or the folder.
        file_format: `onnx`, `torch` for a file of `torch.export`, or `hub` for a folder with a model card.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        to: the side that a file predicts, `a` or `b`; the target by default. A folder goes both ways.
        overwrite: whether to replace a file, or an earlier export to a folder.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images compared.

    Raises:
        ArgumentError: there is no such format.
        RunError: not a run, it has no such checkpoint or no way back, its predictions are drawn, or the file would
            compute something else.
        PluginError: ONNX has no operator for what the networks compute, or the extra `genlab[onnx]` is not installed.
        StorageError: something is there already, or it cannot be written.
    """
    path, opened = as_path(out), open_run(run, checkpoint=checkpoint, device="cpu", trust=trust)
    if file_format == "hub":
        refuse_other_folder(path, overwrite=overwrite)
    else:
        refuse_unwritable(path, overwrite=overwrite)
    if file_format == "onnx":
        require_onnx_extra()
    with memory_errors("Export on a machine with more memory."):
        if file_format == "hub":
            count = write_hub_folder(opened, path, on_progress)
            return Exported(path, opened.step, count, 0.0, None, None, opened.size_multiple())
        exported, content = _export_file(opened, _FORMATS[file_format], path, to, on_progress)
    with atomic_write(path) as aside:
        aside.write_bytes(content)
    return exported


def _export_file(
    run: Run, form: _Format, path: Path, to: SideName | None, on_progress: Callable[[int, int], None]
) -> tuple[Exported, bytes]:
    """The content of a file with as much freedom as its networks allow."""
    direction, multiple = run.direction(to), run.size_multiple(to)
    height, width = (-(-side // multiple) * multiple for side in direction.trained)
    channels = run.manifest.channels[1 if direction.is_back else 0]
    images = draw_images(IMAGES, channels, (height, width))
    exportable = make_exportable(run, to, images[:1])
    last: Exception | None = None
    for freedom in FREEDOMS:
        try:
            content, difference = _tried(run, exportable, form, images, to, freedom, on_progress)
        except (UnsupportedOperator, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  (tracers and converters raise of every kind)
            last = error
            continue
        batch, size = None if freedom.batch else 1, None if freedom.size else (height, width)
        return Exported(path, run.step, IMAGES, difference, batch, size, multiple), content
    assert last is not None
    reason, hint = (last.what, last.hint) if isinstance(last, GenlabError) else (summarize(last), None)
    raise RunError(f"its networks cannot be exported: {reason}", where=str(run.path), hint=hint) from last


def _tried(
    run: Run,
    exportable: Exportable,
    form: _Format,
    images: Tensor,
    to: SideName | None,
    freedom: Freedom,
    on_progress: Callable[[int, int], None],
) -> tuple[bytes, float]:
    """The content of a file, and its largest difference from the run; raises if there is none with that freedom."""
    multiple, (height, width) = run.size_multiple(to), images.shape[2:]
    fixed = {"batch": "any" if freedom.batch else 1, "size": "any" if freedom.size else [height, width]}
    program = trace(exportable, images[:1], multiple, freedom)
    content = form.encode(program, {**describe_export(run, to), **fixed})
    predict, batch = form.load(content), 4 if freedom.batch else 1
    if freedom.size:
        others = draw_images(2, images.shape[1], (height + multiple, width))
        largest_difference(run, predict, others, to, 2)
    return content, largest_difference(run, predict, images, to, batch, lambda done: on_progress(done, len(images)))
