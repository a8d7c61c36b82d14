"""Report of an ablation: verdicts, the scores behind them, and provenance, as Markdown, HTML and JSON."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray
from PIL import Image

from genlab.ablation.folder import AblationFolder
from genlab.ablation.results import AblationResult, TrialResult
from genlab.ablation.statistics import Difference, Spread
from genlab.drawing.curves import color_of, draw_curves
from genlab.util.files import write_json, write_text

_MOST_PAIRS = 4


def write_ablation_report(
    result: AblationResult, folder: AblationFolder, parameters: Mapping[str, Mapping[str, int]]
) -> Path:
    """Write `report.json`, `report.md` and `report.html`; returns the path of the last one."""
    facts = report_as_json(result, parameters)
    pictures = _pictures(result)
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    environment.filters |= {"figure": _score, "interval": _interval, "p": _p}
    html = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True)
    html.filters |= {**environment.filters, "breakable": _breakable}
    more = {
        "result": result,
        "facts": facts,
        "now": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "color_of": color_of,
    }
    curves = {metric: draw_curves(result.bands(metric), metric) for metric in result.plan.metrics}
    write_json(folder.path / "report.json", facts)
    write_text(folder.path / "report.md", environment.from_string(_template("report.md.jinja")).render(more))
    path = folder.path / "report.html"
    write_text(path, html.from_string(_template("report.html.jinja")).render(more, curves=curves, pictures=pictures))
    return path


def report_as_json(result: AblationResult, parameters: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The whole result in plain values."""
    plan = result.plan
    return {
        "title": plan.title,
        "baseline": result.baseline,
        "metric": plan.settings.metric,
        "seeds": result.seeds,
        "answer": result.sentences(plan.settings.metric),
        "arms": {
            arm: {
                "changes": plan.assignments(arm),
                "parameters": dict(parameters[arm]),
                "finished": sum(trial.arm == arm for trial in result.finished),
            }
            for arm in plan.arms
        },
        "metrics": {metric: _metric(result, metric) for metric in plan.metrics},
        "measured": result.measured_with(),
        "trials": [_trial(trial) for trial in result.trials],
    }


def _metric(result: AblationResult, metric: str) -> dict[str, Any]:
    spreads = {arm: result.spread(arm, metric) for arm in result.plan.arms}
    differences = result.differences(metric)
    higher_is_better = result.higher_is_better(metric)
    return {
        "higher_is_better": higher_is_better,
        "arms": {
            arm: {**asdict(spread), "values": result.values(arm, metric)} for arm, spread in spreads.items() if spread
        },
        "differences": {arm: {**asdict(d), "verdict": d.verdict(higher_is_better)} for arm, d in differences.items()},
        "target_scores": (targets := result.target_scores(metric)) and asdict(targets),
        "over_images": {arm: asdict(interval) for arm, interval in result.over_images(metric).items()},
    }


def _trial(trial: TrialResult) -> dict[str, Any]:
    manifest = trial.manifest
    return {
        "arm": trial.arm,
        "seed": trial.seed,
        "status": manifest.status if manifest else "not begun",
        "failure": manifest and manifest.failure,
        "updated": manifest and manifest.updated.isoformat(timespec="seconds"),
        "device": manifest and manifest.machine.get("device"),
        "data": manifest and manifest.data.training,
        "versions": manifest and manifest.versions,
        "code": manifest and manifest.code,
    }


def _pictures(result: AblationResult) -> list[dict[str, str]]:
    """HTML-ready pictures of a few validation pairs, as every arm predicts them."""
    found = result.pictures()
    if not found:
        return []
    first = next(iter(found.values()))
    rows: list[dict[str, str]] = []
    for number, key in enumerate(first.keys[:_MOST_PAIRS]):
        row = {"pair": key, "condition": _embedded(first.condition[number])}
        row |= {arm: _embedded(pictures.prediction[number]) for arm, pictures in found.items()}
        rows.append({**row, "target": _embedded(first.target[number])})
    return rows


def _embedded(pixels: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _breakable(name: str) -> Markup:
    """Score name that may break into two lines after a slash or an underscore."""
    return Markup(re.sub(r"([/_])", r"\1<wbr>", str(escape(name))))


def _template(name: str) -> str:
    return files("genlab.ablation").joinpath(name).read_text(encoding="utf-8")


def _score(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return f"{spread.mean:.4g}" if spread.deviation is None else f"{spread.mean:.4g} ± {spread.deviation:.2g}"


def _interval(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return "none with one seed"
    return f"{difference.low:+.4g} to {difference.high:+.4g}"


def _p(difference: Difference) -> str:
    p = difference.adjusted
    return "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.2g}"
