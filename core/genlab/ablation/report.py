"""Report of an ablation: verdicts, the scores behind them, and provenance, as Markdown, HTML and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from genlab.ablation.cost_report import cost_as_json, cost_in_words, draw_costs, explain_budget
from genlab.ablation.folder import AblationFolder
from genlab.ablation.results import AblationResult, TrialResult
from genlab.ablation.statistics import MIN_SEEDS, Difference, Spread, critical_t
from genlab.drawing.curves import draw_curves
from genlab.drawing.forest import ForestRow, draw_forest
from genlab.drawing.page import breakable, embedded_png
from genlab.drawing.svg import color_of
from genlab.util.files import write_json, write_text
from genlab.util.markdown import as_markdown

_MOST_PAIRS = 4


def write_ablation_report(
    result: AblationResult, folder: AblationFolder, parameters: Mapping[str, Mapping[str, int]]
) -> Path:
    """Write `report.json`, `report.svg`, `report.md` and `report.html`; returns the path of the last one.

    With a budget there is also `report.cost.svg`.
    """
    facts = report_as_json(result, parameters)
    pictures = _pictures(result)
    # With `autoescape`, the output of macros is Markup, which `as_markdown` leaves as it is.
    markdown = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True, finalize=as_markdown
    )
    markdown.filters |= {"figure": _score, "interval": _interval, "signed": _signed}
    html = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True)
    html.filters |= {**markdown.filters, "breakable": breakable}
    forest, costs = _forest(result), draw_costs(result)
    more = {
        "result": result,
        "facts": facts,
        "forest": forest,
        "costs": costs,
        "budget": explain_budget(result.plan),
        "price": partial(cost_in_words, result.plan),
        "method": _method(result),
        "trained_with": _trained_with(result),
        "secondary": _secondary(result),
        "now": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "color_of": color_of,
    }
    curves = {metric: draw_curves(result.bands(metric), metric) for metric in result.plan.metrics}
    write_json(folder.path / "report.json", facts)
    write_text(folder.path / "report.svg", forest)
    if costs:
        write_text(folder.path / "report.cost.svg", costs)
    write_text(folder.path / "report.md", markdown.from_string(_template("report.md.jinja")).render(more))
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
        "first_seeds": result.first_seeds,
        "looks": list(result.schedule.looks),
        "first_looks": list(result.first_looks or result.schedule.looks),
        "stop": plan.settings.stop,
        "smallest_difference": plan.settings.smallest_difference,
        "answer": result.sentences(plan.settings.metric),
        "cautions": result.cautions(),
        "budget": plan.settings.budget,
        "budget_unit": plan.settings.budget_unit,
        "arms": {
            arm: {
                "changes": plan.assignments(arm),
                "parameters": dict(parameters[arm]),
                "finished": sum(trial.arm == arm for trial in result.finished),
                **cost_as_json(plan, arm),
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
    return {
        "higher_is_better": result.higher_is_better(metric),
        "arms": {
            arm: {**asdict(spread), "values": result.values(arm, metric)} for arm, spread in spreads.items() if spread
        },
        "differences": {
            arm: {**asdict(difference), "n": difference.n, "verdict": result.verdict(metric, difference)}
            for arm, difference in differences.items()
        },
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
        "steps": manifest and manifest.step,
        "ended_early": manifest and manifest.ended_early and asdict(manifest.ended_early),
        "updated": manifest and manifest.updated.isoformat(timespec="seconds"),
        "device": manifest and manifest.machine.get("device"),
        "data": manifest and manifest.data.training,
        "versions": manifest and manifest.versions,
        "code": manifest and manifest.code,
    }


def _forest(result: AblationResult) -> str:
    metric, baseline = result.plan.settings.metric, result.baseline
    higher_is_better = result.higher_is_better(metric)
    differences = result.differences(metric)
    rows = {arm: _forest_row(result, differences.get(arm)) for arm in result.plan.arms[1:]}
    return draw_forest(rows, f"{metric}: difference from {baseline}", f"{baseline} (baseline)", higher_is_better)


def _forest_row(result: AblationResult, difference: Difference | None) -> ForestRow:
    if difference is None:
        words = "not judged yet" if result.schedule.is_sequential else "no finished seed in common"
        return ForestRow({}, math.nan, None, None, [words])
    dots = {f"seed {seed}": value for seed, value in difference.by_seed.items()}
    interval = "" if difference.low is None else f" ({_interval(difference)})"
    amount = [f"{difference.mean:+.4g}{interval}"] if math.isfinite(difference.mean) else []
    words = [result.verdict(result.plan.settings.metric, difference), *amount]
    return ForestRow(dots, difference.mean, difference.low, difference.high, words)


def _method(result: AblationResult) -> str:
    """Explanation of the intervals and verdicts of one metric."""
    arms = len(result.plan.arms) - 1
    correction = (
        f", with Bonferroni's correction for {arms} arms: with 95 % confidence, all of them contain the true difference"
        if arms > 1
        else ""
    )
    return (
        f"Intervals are Student's t intervals of the paired differences{correction}. A verdict says whether the "
        f"interval excludes zero. There is none with fewer than {MIN_SEEDS} seeds, nor if the difference is the same "
        f"with each seed.{_looks(result)}"
    )


def _looks(result: AblationResult) -> str:
    """Explanation of the looks at the results, and of what they cost."""
    looks, arms = result.schedule.looks, len(result.plan.arms) - 1
    if not result.schedule.is_sequential:
        return ""
    used = sorted({difference.n for difference in result.differences(result.plan.settings.metric).values()})
    wider = [f"{critical_t(n, arms * len(looks)) / critical_t(n, arms):.2f} times with {n} seeds" for n in used]
    return (
        f" An arm got no more seeds when it was settled, at one of {len(looks)} looks that were planned, after "
        f"{looks[0]} to {looks[-1]} seeds. The error is divided over arms and looks, so the intervals hold at every "
        "look, for differences that are about normally distributed; they are wider than those of as many seeds fixed "
        f"in advance: {', '.join(wider) or 'there is none yet'}."
    )


def _trained_with(result: AblationResult) -> str:
    """The seeds in words."""
    seeds = ", ".join(map(str, result.seeds))
    if result.schedule.is_sequential:
        first = result.schedule.looks[0]
        return (
            f"Arms get the seeds {seeds} in this order: {first} of them, and then one at a time until they are settled"
        )
    return f"Every arm is trained with the {'seed' if len(result.seeds) == 1 else 'seeds'} {seeds}"


def _secondary(result: AblationResult) -> str:
    """Explanation of the verdicts on all metrics but the first."""
    metrics = len(result.plan.metrics)
    return (
        f"The answer goes by {result.plan.settings.metric} alone. Each other metric is judged by itself, so over all "
        f"{metrics} metrics the chance of calling an arm different by mistake may be {min(metrics * 5, 100)} %."
    )


def _pictures(result: AblationResult) -> dict[str, Any]:
    """HTML-ready pictures of a few validation pairs, as every arm predicts them: columns, rows by pair, and ratio."""
    found = result.pictures()
    if not found:
        return {"rows": {}, "ratio": "1"}
    first = next(iter(found.values()))
    found = {arm: pictures for arm, pictures in found.items() if pictures.keys == first.keys}
    sides = [first.condition, *(pictures.prediction for pictures in found.values()), first.target]
    _, height, width, _ = first.target.shape
    return {
        "columns": ["condition", *found, first.target_title],
        "rows": {
            pair: [embedded_png(side[number]) for side in sides] for number, pair in enumerate(first.keys[:_MOST_PAIRS])
        },
        "ratio": f"{width} / {height}",
    }


def _template(name: str) -> str:
    return files("genlab.ablation").joinpath(name).read_text(encoding="utf-8")


def _score(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if not math.isfinite(spread.mean):
        return "not finite"
    return f"{spread.mean:.4g}" if spread.deviation is None else f"{spread.mean:.4g} ± {spread.deviation:.2g}"


def _signed(value: float) -> str:
    return f"{value:+.4g}" if math.isfinite(value) else "-"


def _interval(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return "-"
    return f"{difference.low:+.4g} to {difference.high:+.4g}"
