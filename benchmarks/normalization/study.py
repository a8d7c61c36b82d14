"""Which statistics batch norm should predict by: thirty trainings, each measured with several.

    python benchmarks/normalization/study.py --out runs/normalization

It trains two tasks with batches of 1 to 16 and three seeds, and measures the validation pairs with each kind of
statistics. Trainings that are there from before count. The result is written to `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from copy import deepcopy
from datetime import UTC, datetime
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import genlab
import torch
from genlab.assemble.experiment import construct, open_data, prepare
from genlab.assemble.read import read_recipe
from genlab.config.schema import Inference
from genlab.data.prepared import PreparedPairs
from genlab.engine.inference import Predictor
from genlab.engine.validation import pair_as_batch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

HERE = Path(__file__).resolve().parent
PLUGIN = HERE / "exposure.py"
TASKS = ("facades", "exposure")
BATCHES = (1, 2, 4, 8, 16)
SEEDS = (0, 1, 2)
IMAGES = 9600
"""That each training sees, so that a batch of 16 has 600 steps, and a batch of 1 has 9,600."""
RECOMPUTED_BATCHES = 200


def measure(task: str, batch: int, seed: int, out: Path) -> dict[str, object]:
    """Train once, and measure with each kind of statistics."""
    folder = out / f"{task}-batch{batch}-seed{seed}"
    overrides = [f"train.batch_size={batch}", f"train.steps={IMAGES // batch}", f"seed={seed}"]
    if not folder.exists():
        genlab.train(HERE / f"{task}.toml", overrides=overrides, plugins=[PLUGIN], out=folder)
    torch.set_num_threads(1)
    run = genlab.open_run(folder, device="cpu")
    if run.manifest.status != "finished":
        genlab.resume(folder)
        run = genlab.open_run(folder, device="cpu")
    checked = read_recipe(HERE / f"{task}.toml", overrides=overrides, plugins=[PLUGIN])
    training = prepare(run.recipe, open_data(construct(checked.recipe, checked.document).data).training)
    validation = run.validation_pairs()
    scores = {
        "image": score(run, validation, "image"),
        "running": score(run, validation, "running"),
    }
    trained = deepcopy(run.generator.state_dict())
    update_bn(conditions(training, batch), run.generator)
    scores["recomputed"] = score(run, validation, "running")
    run.generator.load_state_dict(trained)
    for module in run.generator.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    update_bn(conditions(training, batch), run.generator)
    scores["recomputed without dropout"] = score(run, validation, "running")
    return {"task": task, "batch": batch, "seed": seed, **scores}


def score(run: genlab.Run, pairs: PreparedPairs, normalization: str) -> float:
    """Mean absolute error over the pairs, in [-1, 1] as the metric `l1` has it."""
    predictor = Predictor(run.method, Inference(normalization=normalization))
    errors: list[float] = []
    for index in range(len(pairs)):
        batch = pair_as_batch(pairs, index, run.device)
        errors.append((predictor(batch.condition) - batch.target).abs().mean().item())
    return sum(errors) / len(errors)


def conditions(pairs: PreparedPairs, size: int) -> Iterator[Tensor]:
    """Batches of training conditions in a random order, as training draws them, but for augmentation."""
    rng = torch.Generator().manual_seed(0)
    for _ in range(RECOMPUTED_BATCHES):
        indices = torch.randint(len(pairs), (size,), generator=rng).tolist()
        yield torch.cat([pair_as_batch(pairs, index, torch.device("cpu")).condition for index in indices])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("runs/normalization"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments = parser.parse_args()
    date = datetime.now(UTC).date().isoformat()
    rows: list[dict[str, object]] = []
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        trials = product(arguments.seeds, BATCHES, TASKS)
        waiting = [pool.submit(measure, task, batch, seed, arguments.out) for seed, batch, task in trials]
        for done in as_completed(waiting):
            rows.append(done.result())
            print(rows[-1], flush=True)
            report = {
                "date": date,
                "machine": f"{platform.machine()}, {platform.system()}",
                "versions": {"genlab": genlab.__version__, "torch": torch.__version__},
                "images": IMAGES,
                "rows": sorted(rows, key=lambda row: [TASKS.index(row["task"]), row["batch"], row["seed"]]),
            }
            path = HERE.parent / "results" / f"normalization_{date}.json"
            path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
