"""Page of a comparison, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from markupsafe import Markup

from genlab.drawing.curves import Band, draw_curves
from genlab.drawing.page import embedded_png, render_page
from genlab.drawing.svg import color_of
from genlab.tools.compare.comparison import Comparison
from genlab.tools.compare.tables import (
    RUN_COLUMNS,
    SCORE_COLUMNS,
    changed_rows,
    directions,
    method,
    run_rows,
    score_rows,
)
from genlab.util.files import write_text


def write_comparison_page(found: Comparison, path: Path) -> None:
    """Write the page: scores, changed values, curves and pictures."""
    scores = {metric: score_rows(found, metric) for metric in found.metrics}
    page = render_page(
        "genlab.tools.compare",
        "compare.html.jinja",
        title="Comparison of " + " and ".join(run.name for run in found.runs),
        runs=run_rows(found),
        run_columns=RUN_COLUMNS,
        score_columns=SCORE_COLUMNS,
        scores=scores,
        directions=directions(found),
        names=[run.name for run in found.runs],
        changed=changed_rows(found),
        cautions=found.cautions(),
        method=method(found, chain.from_iterable(scores.values())),
        curves={name: Markup(drawing) for name, drawing in _curves(found).items()},
        pictures=_pictures(found),
        color_of=color_of,
    )
    write_text(path, page)


def _curves(found: Comparison) -> dict[str, str]:
    """Drawings of all curves by name, metrics before losses."""
    names = dict.fromkeys(name for run in found.runs for name in run.curves if not name.startswith("gap/"))
    bands: dict[str, Mapping[str, Band]] = {
        name: {run.name: run.curves.get(name, {}) for run in found.runs} for name in names
    }
    return {name: drawing for name in names if (drawing := draw_curves(bands[name], name))}


def _pictures(found: Comparison) -> Mapping[str, object]:
    """Columns, rows of data URLs, and the columns of the slider; without rows where the runs share no pictures."""
    first, runs = found.first, [run for run in found.runs if run.pictures and not found.other_images(run)]
    keys = [key for key in first.pictures if all(key in run.pictures for run in runs)]
    rows = {
        key: [
            embedded_png(picture)
            for picture in (first.inputs[key][0], *(run.pictures[key] for run in runs), first.inputs[key][1])
        ]
        for key in keys
    }
    columns = ["condition", *(run.name for run in runs), "target"]
    return {"columns": columns, "rows": rows, "right": min(2, len(columns) - 1)}
