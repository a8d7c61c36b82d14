"""Quality of a bridge's samples on drawn facades of 32 pixels, over three seeds.

    python benchmarks/bridge.py

Each training is `bridge_facades_small` on two threads, one after the other: below ten minutes each on two cores. Then
every validation condition is predicted with several seeds. The mean of these samples has an L1 to the target, as have a
single sample, and the mean and the median of all training photos, which know nothing of the condition. The result is
printed, and written to `benchmarks/results/`; samples of the first seed are drawn to `samples.png` in the folder of its
run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import genlab
from genlab.assemble.experiment import construct, prepare
from genlab.assemble.open_data import open_data
from genlab.data.prepared import PreparedPairs
from genlab.engine.validation import pair_as_batch
from genlab.tools.bench.measure import processor

RESULTS = Path(__file__).resolve().parent / "results"
RECIPE = "bridge_facades_small"
DRAWN = 'data={name="genlab:drawn_facades", count=400, validation_count=100}'
CPU = torch.device("cpu")


def sides(pairs: PreparedPairs) -> tuple[Tensor, Tensor]:
    """All conditions and targets, (n, c, h, w) each."""
    batches = [pair_as_batch(pairs, index, CPU) for index in range(len(pairs))]
    return torch.cat([batch.condition for batch in batches]), torch.cat([batch.target for batch in batches])


def samples_of(run: genlab.Run, condition: Tensor, count: int) -> Tensor:
    """Samples of each condition, (count, n, d, h, w)."""
    found: list[Tensor] = []
    for seed in range(count):
        torch.manual_seed(seed)
        with torch.no_grad():
            found.append(run.method.predict(condition))
    return torch.stack(found)


def l1(images: Tensor, target: Tensor) -> float:
    return (images - target).abs().mean().item()


def measure(out: Path, seed: int, count: int, overrides: list[str]) -> dict[str, Any]:
    """Train once unless that was done, and measure its samples."""
    folder, seconds = out / f"seed{seed}", None
    if not folder.exists():
        begun = time.monotonic()
        settings = [DRAWN, "train.device=cpu", "train.threads=2", *overrides, f"seed={seed}"]
        genlab.train(RECIPE, overrides=settings, out=folder)
        seconds = round(time.monotonic() - begun)
    run = genlab.open_run(folder, device="cpu")
    checked = genlab.check(folder / "recipe.toml")
    training = prepare(run.recipe, open_data(construct(checked.recipe, checked.document).data).training)
    photos, (condition, target) = sides(training)[1], sides(run.validation_pairs())
    samples = samples_of(run, condition, count)
    draw(folder / "samples.png", condition[:8], *samples[:4, :8], samples.mean(dim=0)[:8], target[:8])
    return {
        "seed": seed,
        "steps": run.manifest.step,
        "seconds": seconds,
        "l1": {
            "mean of samples": l1(samples.mean(dim=0), target),
            "one sample": l1(samples[0], target),
            "mean picture": l1(photos.mean(dim=0), target),
            "median picture": l1(photos.median(dim=0).values, target),
        },
        "deviation of samples": samples.std(dim=0).mean().item(),
        "deviation of their colors": samples.mean(dim=(3, 4)).std(dim=0).mean().item(),
    }


def draw(path: Path, *rows: Tensor) -> None:
    """Write images as a table, enlarged four times."""
    grid = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = ((grid + 1) * 127.5).round().byte().movedim(0, -1).numpy()
    Image.fromarray(np.ascontiguousarray(pixels.repeat(4, axis=0).repeat(4, axis=1))).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("runs/bridge"), help="where the trainings are kept")
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings")
    parser.add_argument("--samples", type=int, default=16, help="how many samples of each condition")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    arguments = parser.parse_args()
    rows = [measure(arguments.out, seed, arguments.samples, arguments.set) for seed in range(arguments.seeds)]
    date = datetime.now(UTC).date().isoformat()
    report = {
        "date": date,
        "processor": processor(),
        "versions": {"genlab": genlab.__version__, "torch": torch.__version__},
        "recipe": [RECIPE, DRAWN, *arguments.set],
        "samples": arguments.samples,
        "trainings": rows,
    }
    text = json.dumps(report, indent=2)
    if not arguments.set:
        (RESULTS / f"bridge_{date}.json").write_text(text + "\n")
    print(text)
    for name in rows[0]["l1"]:
        print(f"{name:>16}: {statistics.fmean(row['l1'][name] for row in rows):.4f}")


if __name__ == "__main__":
    main()
