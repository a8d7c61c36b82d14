"""Model cards: README.md of a folder for a hub, with front matter that a hub reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

import genlab
from genlab.runs.run import Run
from genlab.tools.export.description import LIBRARY, describe_export
from genlab.util.markdown import as_markdown


def model_card(run: Run, *, has_samples: bool) -> str:
    """The model card of a run: what it does, how to use it, how it was trained, and its metrics.

    Args:
        run: the run.
        has_samples: whether there is a `samples.png` beside it.
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
        metrics=run.metrics,
        step=run.step,
        has_samples=has_samples,
        has_plugins=bool(run.folder.plugin_files),
        version=genlab.__version__,
    )


def _front_matter(run: Run) -> dict[str, Any]:
    """Front matter as a hub expects it; each value is JSON, which is YAML as well."""
    task = "image-segmentation" if run.direction().predicts_classes else "image-to-image"
    metrics = [
        {"type": name, "name": name, "value": value}
        for name, value in run.metrics.items()
        if value - value == 0  # finite
    ]
    result = {
        "task": {"type": task},
        "dataset": {"name": run.manifest.data.source, "type": run.manifest.data.source},
        "metrics": metrics,
    }
    front: dict[str, Any] = {
        "library_name": LIBRARY,
        "pipeline_tag": task,
        "tags": [LIBRARY, "pytorch", "safetensors", run.recipe.method.component.name],
    }
    return front | ({"model-index": [{"name": run.manifest.title, "results": [result]}]} if metrics else {})
