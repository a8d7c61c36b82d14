"""Statistics for batch norm at prediction: thirty trainings, each measured with several.

    python benchmarks/normalization/study.py

Two tasks are trained with batches of 1 to 16 and three seeds, two trainings at a time, each on one thread of a CPU. The
trained generators then predict the validation pairs with each kind of statistics. Trainings that are there from before
count. The result is printed as a table, and written to `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

import genlab
from genlab.assemble.experiment import construct, prepare
from genlab.assemble.open_data import open_data
from genlab.config.schema import Inference
from genlab.data.prepared import PreparedPairs
from genlab.engine.inference import Predictor
from genlab.engine.validation import pair_as_batch
from genlab.tools.bench.measure import processor

HERE = Path(__file__).resolve().parent
EXPOSURE = HERE / "exposure.py"
TASKS = ("facades", "exposure")
BATCHES = (1, 2, 4, 8, 16)
SEEDS = (0, 1, 2)
IMAGES = 4800
"""Images that each training sees, whatever its batch size: 4,800 steps of batch 1, 300 of batch 16."""
RECOMPUTING = 200
"""Training batches that statistics are recomputed over."""


def measure(out: Path, trial: tuple[int, int, str]) -> dict[str, Any]:
    """Train once unless that was done, and give the validation L1 by each kind of statistics."""
    seed, batch, task = trial
    folder = out / f"{task}-batch{batch}-seed{seed}"
    overrides = [f"seed={seed}", f"train.batch_size={batch}", f"train.steps={IMAGES // batch}"]
    if not folder.exists():
        genlab.train(HERE / f"{task}.toml", overrides=overrides, plugins=[EXPOSURE], out=folder)
    run = genlab.open_run(folder, device="cpu")
    if run.manifest.status != "finished":
        run = genlab.resume(folder)
    torch.set_num_threads(1)
    checked = genlab.check(HERE / f"{task}.toml", overrides=overrides, plugins=[EXPOSURE])
    training = prepare(run.recipe, open_data(construct(checked.recipe, checked.document).data).training)
    l1 = partial(validation_l1, run, run.validation_pairs())
    scores = {"image": l1("image"), "running": l1("running")}
    update_bn(conditions(training, batch), run.generator)
    scores["recomputed"] = l1("running")
    for module in run.generator.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    update_bn(conditions(training, batch), run.generator)
    scores["recomputed, no dropout"] = l1("running")
    return {"task": task, "batch": batch, "seed": seed, "l1": scores}


def validation_l1(run: genlab.Run, pairs: PreparedPairs, normalization: Literal["image", "running"]) -> float:
    """Mean absolute error over all pairs, in [-1, 1] as the metric `l1` has it."""
    predictor = Predictor(run.method, Inference(normalization=normalization))
    batches = (pair_as_batch(pairs, index, run.device) for index in range(len(pairs)))
    return statistics.fmean((predictor(batch.condition) - batch.target).abs().mean().item() for batch in batches)


def conditions(pairs: PreparedPairs, size: int) -> Iterator[Tensor]:
    """Batches of conditions, drawn at random and not augmented."""
    rng = torch.Generator().manual_seed(0)
    for _ in range(RECOMPUTING):
        indices = torch.randint(len(pairs), (size,), generator=rng).tolist()
        yield torch.cat([pair_as_batch(pairs, index, torch.device("cpu")).condition for index in indices])


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Mean and standard deviation over the seeds, as Markdown."""
    names = list(rows[0]["l1"])
    lines = [f"| task | batch | {' | '.join(names)} |", "|---|---:|" + "---:|" * len(names)]
    for task, batch in product(TASKS, BATCHES):
        found = [row["l1"] for row in rows if (row["task"], row["batch"]) == (task, batch)]
        means = {name: statistics.fmean(scores[name] for scores in found) for name in names}
        cells = [f"{means[name]:.4f} ± {statistics.stdev(scores[name] for scores in found):.4f}" for name in names]
        best = names.index(min(names, key=means.__getitem__))
        cells[best] = f"**{cells[best]}**"
        lines.append(f"| {task} | {batch} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("runs/normalization"), help="where the trainings are kept")
    out: Path = parser.parse_args().out
    date = datetime.now(UTC).date().isoformat()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        rows = list(pool.map(partial(measure, out), product(SEEDS, BATCHES, TASKS)))
    report = {
        "date": date,
        "processor": processor(),
        "versions": {"genlab": genlab.__version__, "torch": torch.__version__},
        "trainings": sorted(rows, key=lambda row: (TASKS.index(row["task"]), row["batch"], row["seed"])),
    }
    (HERE.parent / "results" / f"normalization_{date}.json").write_text(json.dumps(report, indent=2) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
