"""Report of an evaluation: `evaluation.json`, `scores.csv` and `evaluation.html`."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from genlab.drawing.page import render_page
from genlab.errors import RunError, StorageError
from genlab.interfaces.dataset import Split
from genlab.runs.output_files import refuse_overwrite, refuse_unwritable
from genlab.runs.run import Run
from genlab.tools.evaluate.evaluation import EvaluatedScore, Evaluation
from genlab.tools.evaluate.pictures import Sheet
from genlab.util.files import json_text, storage_errors, write_texts

FILES = ("scores.csv", "evaluation.html", "evaluation.json")


def refuse_other_report(out: Path | None, csv: Path | None, *, overwrite: bool) -> None:
    """Raise a `StorageError` if the report's files exist already, or cannot be where they should."""
    if out is not None:
        if (out / "run.json").exists():
            hint = "Choose another --out, or leave it out: then it is in the run's evaluations."
            raise StorageError(
                "this is the folder of a run, and a report would lie among its files", where=str(out), hint=hint
            )
        refuse_overwrite(out, [out / name for name in FILES], overwrite=overwrite)
    if csv is not None:
        refuse_unwritable(csv, overwrite=overwrite)


@contextmanager
def report_folder(run: Run, out: Path | None, split: Split, step: int) -> Generator[Path]:
    """Context that gives a folder for a report, and removes it again if it was made for one and nothing is written.

    Args:
        run: the run.
        out: the folder that was asked for; None for one below the run's.
        split: which split was measured.
        step: after how many steps.

    Raises:
        RunError: the folder would be in the run's, which was removed meanwhile.
        StorageError: it cannot be made.
    """
    if out is None or out.resolve().is_relative_to(run.path.resolve()):
        _require_there(run)
    is_new = out is None or not out.exists()
    folder = out or make_report_folder(run.path, split, step)
    with storage_errors(folder):
        folder.mkdir(parents=out is not None, exist_ok=True)
    try:
        yield folder
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise


def _require_there(run: Run) -> None:
    """Raise a `RunError` if a run's folder has another run in it than when it was opened, or none."""
    try:
        found = run.folder.stored().id
    except RunError:
        found = None
    if found != run.manifest.id:
        hint = "Nothing was written. --out DIR keeps a report elsewhere."
        raise RunError("the run was removed while it was evaluated", where=str(run.path), hint=hint)


def make_report_folder(run: Path, split: Split, step: int) -> Path:
    """Make a folder below the run's that no other evaluation has, such as `evaluations/test-80000`."""
    base, number = run / "evaluations" / f"{split}-{step}", 1
    with storage_errors(base):
        base.parent.mkdir(exist_ok=True)
        while True:
            folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
            number += 1


def write_report(evaluation: Evaluation, sheet: Sheet, ranked_by: EvaluatedScore | None, csv: Path | None) -> None:
    """Write the files, all or none; `evaluation.json` last, so that where it is the report is whole.

    Args:
        evaluation: the result.
        sheet: the pictures.
        ranked_by: the score that ranks them.
        csv: one more file for the scores of each image; None for none.
    """
    folder, (columns, *rows) = evaluation.folder, evaluation.table()
    page = render_page(
        "genlab.tools.evaluate",
        "evaluation.html.jinja",
        title=f"{evaluation.run.name}: {evaluation.split} split",
        evaluation=evaluation,
        columns=columns,
        rows=rows,
        sheet=sheet,
        ranked_by=ranked_by and ranked_by.name,
    )
    scores = scores_as_csv(evaluation)
    report = (scores, page, json_text(evaluation.as_json()))
    more = {} if csv is None else {csv: scores}
    write_texts(more | {folder / name: text for name, text in zip(FILES, report, strict=True)})


def scores_as_csv(evaluation: Evaluation) -> str:
    """A line for each image, with its value of each score that it has by itself."""
    per_image = evaluation.per_image
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["image", *per_image])
    for key in next(iter(per_image.values()), {}):
        lines.writerow([key, *(values[key] for values in per_image.values())])
    return text.getvalue()
