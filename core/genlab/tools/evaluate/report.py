"""Report of an evaluation: `evaluation.json`, `scores.csv` and `evaluation.html`."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path

from genlab.drawing.page import render_page
from genlab.errors import StorageError
from genlab.interfaces.dataset import Split
from genlab.tools.evaluate.evaluation import EvaluatedScore, Evaluation
from genlab.tools.evaluate.pictures import Sheet
from genlab.util.files import storage_errors, write_json, write_text
from genlab.util.output_files import refuse_overwrite, refuse_unwritable

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


def write_report(evaluation: Evaluation, sheet: Sheet, ranked_by: EvaluatedScore | None) -> None:
    """Write the files, `evaluation.json` last, so that where it is the report is whole."""
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
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "scores.csv", scores_as_csv(evaluation))
    write_text(folder / "evaluation.html", page)
    write_json(folder / "evaluation.json", evaluation.as_json())


def scores_as_csv(evaluation: Evaluation) -> str:
    """A line for each image, with its value of each score that it has by itself."""
    per_image = evaluation.per_image
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["image", *per_image])
    for key in next(iter(per_image.values()), {}):
        lines.writerow([key, *(values[key] for values in per_image.values())])
    return text.getvalue()
