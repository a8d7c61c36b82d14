"""Model cards: README.md of a folder for a hub, with front matter that a hub reads."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

import genlab
from genlab.assemble.recipe import metric_scores
from genlab.runs.run import Run
from genlab.tools.export.description import LIBRARY, describe_export
from genlab.util.markdown import as_markdown


class _Result(NamedTuple):
    """A metric of the last validation, by the name of the score."""

    name: str
    value: float
    better: str


def model_card(run: Run, *, pairs: int | None) -> str:
    """The model card of a run: what it does, how to use it, how it was trained, and its metrics of validation pairs.

    Args:
        run: the run.
        pairs: how many validation pairs there are, of which a `samples.png` beside the card shows some; None if they
            are not available.
    """
    environment = Environment(
        loader=PackageLoader("genlab.tools.export", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=as_markdown,
        autoescape=False,
    )
    conversion = run.manifest.conversion
    return environment.get_template("model_card.md.jinja").render(
        front=[f"{key}: {json.dumps(value)}" for key, value in _front_matter(run).items()],
        manifest=run.manifest,
        conversion=conversion and {"name": Path(conversion.file).name, "layout": conversion.layout},
        description=describe_export(run, None),
        results=_results(run),
        measured=_measured(run, pairs),
        step=run.step,
        has_samples=pairs is not None,
        has_plugins=bool(run.folder.plugin_files),
        version=genlab.__version__,
    )


def _results(run: Run) -> list[_Result]:
    directions = {name: score.higher_is_better for name, score in metric_scores(run.recipe.metrics).items()}
    words = {True: "higher", False: "lower", None: "not known"}
    return [
        _Result(name, value, words[directions.get(name)])
        for side, _, name, value in ((*key.partition("/"), value) for key, value in run.metrics.items())
        if side == "validation"
    ]


def _measured(run: Run, pairs: int | None) -> str:
    """Number of validation pairs that were measured, in words: no record says it where they are not available."""
    most = run.recipe.settings.evaluate.pairs
    return f"at most {most:,}" if pairs is None else f"n = {min(most, pairs):,}"


def _front_matter(run: Run) -> dict[str, Any]:
    """Front matter as a hub expects it; each value is JSON, which is YAML as well."""
    task = "image-segmentation" if run.direction().predicts_classes else "image-to-image"
    metrics = [
        {"type": result.name, "name": result.name, "value": result.value}
        for result in _results(run)
        if isfinite(result.value)
    ]
    result = {
        "task": {"type": task},
        "dataset": {"name": run.manifest.data.source, "type": run.manifest.data.source, "split": "validation"},
        "metrics": metrics,
    }
    front: dict[str, Any] = {
        "library_name": LIBRARY,
        "pipeline_tag": task,
        "tags": [LIBRARY, "pytorch", "safetensors", run.recipe.method.component.name],
    }
    return front | ({"model-index": [{"name": run.manifest.title, "results": [result]}]} if metrics else {})
