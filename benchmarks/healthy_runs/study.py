"""Curves and pictures of a healthy training and of three that are not.

    python benchmarks/healthy_runs/study.py

Each training is that of `facades.toml` with the changes below: about a minute on one thread of a CPU. Trainings that
are there from before count. Curves and pictures are drawn to `docs/images`; figures are printed as a table, and
written to `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import genlab
from genlab import Interval
from genlab.assemble.experiment import construct, prepare
from genlab.assemble.open_data import open_data
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_bytes
from genlab.drawing.curves import draw_curves, stack
from genlab.engine.validation import pair_as_batch
from genlab.tools.bench.measure import processor

HERE = Path(__file__).resolve().parent
RECIPE = HERE / "facades.toml"
RUNS: Mapping[str, Sequence[str]] = {
    "healthy": [],
    "learning rate too high": ["optimizer.learning_rate=0.2"],
    "discriminator wins": [
        "method.discriminator_steps=5",
        "discriminator.channels=32",
        "generator.channels=4",
        "losses.l1=false",
    ],
    "few pairs": ["data.count=8"],
}
"""The trainings by name: what each changes in the recipe."""

POINTS = 30
"""Points of a curve of losses: each is the mean of as many steps, with the least and the greatest of them."""
SHOWN = 4
"""Pairs in a picture."""

Curve = dict[int, float]


def trained(name: str, out: Path, overrides: Sequence[str]) -> genlab.Run:
    """Train one unless that was done."""
    folder = out / slug(name)
    if not folder.exists():
        genlab.train(RECIPE, overrides=[*RUNS[name], *overrides], out=folder)
    return genlab.open_run(folder, device="cpu")


def slug(name: str) -> str:
    return name.replace(" ", "_")


def curves(folder: Path) -> tuple[dict[str, Curve], dict[str, Curve]]:
    """Adversarial losses and L1 scores by step."""
    losses: dict[str, Curve] = {"discriminator": {}, "generator": {}}
    scores: dict[str, Curve] = {"train/l1": {}, "validation/l1": {}}
    for event in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()):
        if event["event"] == "step":
            for role, curve in losses.items():
                curve[event["step"]] = event["losses"][f"{role}/adversarial"]
        elif event["event"] == "validation":
            for score, curve in scores.items():
                curve[event["step"]] = event["metrics"][score]
    return losses, scores


def drawing(folder: Path) -> str:
    """Curves of a run as an SVG file: losses above, L1 below."""
    losses, scores = curves(folder)
    above = draw_curves({name: in_windows(curve) for name, curve in losses.items()}, "adversarial loss")
    exact = {name: {step: Interval(*[value] * 3) for step, value in curve.items()} for name, curve in scores.items()}
    return stack([above, draw_curves(exact, "L1")], [*losses])


def in_windows(curve: Curve) -> dict[int, Interval]:
    """Mean, least and greatest of the values in each part of the steps, by the last of its steps."""
    last, parts = max(curve), dict[int, list[float]]()
    for step, value in curve.items():
        end = -(-step * POINTS // last) * last // POINTS
        parts.setdefault(end, []).append(value)
    return {end: Interval(min(values), statistics.fmean(values), max(values)) for end, values in parts.items()}


def training_pairs(run: genlab.Run) -> PreparedPairs:
    checked = genlab.check(run.path / "recipe.toml")
    return prepare(run.recipe, open_data(construct(checked.recipe, checked.document).data).training)


def pictures(run: genlab.Run, pairs: PreparedPairs) -> tuple[NDArray[np.uint8], ...]:
    """Condition, prediction and target of the first pairs, (pairs, height, width, 3) each."""
    batches = [pair_as_batch(pairs, index, run.device) for index in range(min(SHOWN, len(pairs)))]
    with torch.no_grad():
        rows = [(batch.condition[0], run.apply(batch.condition)[0], batch.target[0]) for batch in batches]
    return tuple(np.stack([to_bytes(image) for image in column]) for column in zip(*rows, strict=True))


def save(columns: Mapping[str, NDArray[np.uint8]], path: Path) -> None:
    """Write a contact sheet in 256 colors, which take a third of the space."""
    genlab.contact_sheet(columns).quantize().save(path, optimize=True)


def figures(folder: Path) -> dict[str, float]:
    """Medians of the losses over the second half of the training, L1 at its end, and the least L1."""
    losses, scores = curves(folder)
    last = max(losses["generator"])
    late = {name: [value for step, value in curve.items() if step > last // 2] for name, curve in losses.items()}
    validation = scores["validation/l1"]
    least = min(validation, key=validation.__getitem__)
    return {
        **{f"{name}'s loss": statistics.median(values) for name, values in late.items()},
        "train L1": scores["train/l1"][last],
        "validation L1": validation[last],
        "least validation L1": validation[least],
        "at step": least,
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    names = list(rows[0]["figures"])
    lines = [f"| training | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for row in rows:
        cells = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row["figures"].values()]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Curves and pictures of a healthy training and of three that are not.")
    parser.add_argument("--out", type=Path, default=Path("runs/healthy"), help="where the trainings are kept")
    parser.add_argument("--images", type=Path, default=HERE.parents[1] / "docs" / "images", help="where to draw to")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    given = parser.parse_args(arguments)
    runs = {name: trained(name, given.out, given.set) for name in RUNS}
    for name, run in runs.items():
        (given.images / f"healthy_runs_{slug(name)}.svg").write_text(drawing(run.path))
    condition, _, target = pictures(runs["healthy"], runs["healthy"].validation_pairs())
    predictions = {name: pictures(run, run.validation_pairs())[1] for name, run in runs.items()}
    save({"condition": condition, **predictions, "target": target}, given.images / "healthy_runs_validation.png")
    learned = pictures(runs["few pairs"], training_pairs(runs["few pairs"]))
    columns = zip(("condition", "few pairs", "target"), learned, strict=True)
    save(dict[str, NDArray[np.uint8]](columns), given.images / "healthy_runs_training.png")
    rows = [{"name": name, "changes": RUNS[name], "figures": figures(run.path)} for name, run in runs.items()]
    if not given.set:
        write_report(rows)
    print(table(rows))


def write_report(rows: Sequence[dict[str, Any]]) -> None:
    date = datetime.now(UTC).date().isoformat()
    report = {
        "date": date,
        "processor": processor(),
        "versions": {"genlab": genlab.__version__, "torch": torch.__version__},
        "trainings": rows,
    }
    (HERE.parent / "results" / f"healthy_runs_{date}.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
