"""The GPU table: the paper's recipe at 256 x 256, plain and as genlab trains it, for several batch sizes.

    python benchmarks/gpu.py                           everything, on the first CUDA GPU
    python benchmarks/gpu.py --batches 1 --rounds 3    a first look

It needs torch, NumPy and this repository, and nothing else: what else genlab imports for annotations and settings is
stood in for where it is missing. Each way takes its steps by turns with the others, so that what slows the machine down
slows all. The result is printed, and written to `benchmarks/results/` as JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "plugins")]
for _name in ("pydantic", "pydantic_core", "jaxtyping", "annotated_types", "pluggy"):
    try:
        importlib.import_module(_name)
    except ImportError:
        sys.modules[_name] = MagicMock()

from genlab.engine.compilation import compile_networks, next_step  # noqa: E402
from genlab.engine.precision import Precision  # noqa: E402
from genlab.engine.runtime import keep_freed_memory, place, tf32_and_autotune  # noqa: E402
from genlab.engine.seeding import initialize  # noqa: E402
from genlab.engine.step import StepSettings, measure_norms, train_step  # noqa: E402
from genlab.engine.work import flops_of, seconds_of  # noqa: E402
from genlab.interfaces.batch import Batch  # noqa: E402
from genlab.interfaces.method import WeightedLoss  # noqa: E402
from genlab.interfaces.weight import Weight  # noqa: E402
from genlab.tools.bench.measure import matrix_rate, peak_memory  # noqa: E402
from genlab.tools.bench.reference import PlainStep  # noqa: E402
from genlab_losses.adversarial import Adversarial  # noqa: E402
from genlab_losses.l1 import L1  # noqa: E402
from genlab_optimizers.adam import Adam  # noqa: E402
from genlab_pix2pix.method import Pix2Pix  # noqa: E402
from genlab_pix2pix.patchgan import PatchGAN  # noqa: E402
from genlab_pix2pix.unet import UNet  # noqa: E402

Step = Callable[[], object]

WARM_UP = 5


def make_method(device: torch.device) -> Pix2Pix:
    """The paper's networks with their first weights."""
    networks = {
        "generator": UNet(in_channels=3, out_channels=3),
        "discriminator": PatchGAN(condition_channels=3, image_channels=3),
    }
    for role, network in networks.items():
        initialize(network, 0, role)
        place(network, device)
    return Pix2Pix(
        networks, {"adversarial": WeightedLoss(Adversarial(), Weight(1.0)), "l1": WeightedLoss(L1(), Weight(100.0))}
    )


def make_optimizers(method: Pix2Pix) -> dict[str, Adam]:
    """Adam with the paper's settings, for each network."""
    return {role: Adam(network.parameters()) for role, network in method.networks.items()}


def make_batch(size: int, count: int, device: torch.device) -> Batch:
    """Noise, as long as a picture takes."""
    rng = torch.Generator().manual_seed(0)
    condition, target = (torch.rand(count, 3, size, size, generator=rng) * 2 - 1 for _ in range(2))
    return Batch(condition.to(device), target.to(device))


@contextmanager
def plain(batch: Batch, device: torch.device) -> Iterator[Step]:
    """Eager, single precision (TF32), Adam as PyTorch chooses it."""
    method = make_method(device)
    take = PlainStep(method, make_optimizers(method))
    yield lambda: take(batch)


@contextmanager
def genlab(batch: Batch, device: torch.device, precision: str, compile: bool) -> Iterator[Step]:
    """Fused Adam, channels_last, mixed precision; compiled, and recorded as CUDA graphs where the batch is small."""
    method = make_method(device)
    optimizers = make_optimizers(method)
    mixed = Precision(precision, device)

    def step() -> None:
        next_step(device)
        train_step(method, [batch], optimizers, with_norms=False, settings=StepSettings(mixed))

    if compile:
        compile_networks(method, mixed, len(batch.condition), device, lambda: measure_norms(method, [batch], mixed))
    yield step


WAYS: dict[str, Callable[[Batch, torch.device], Any]] = {
    "plain": plain,
    "float32": lambda batch, device: genlab(batch, device, "float32", False),
    "bfloat16": lambda batch, device: genlab(batch, device, "bfloat16", False),
    "bfloat16 compiled": lambda batch, device: genlab(batch, device, "bfloat16", True),
}


def measure(count: int, arguments: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    """All ways at one batch size, by turns."""
    batch = make_batch(arguments.size, count, device)
    rows: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        stack.enter_context(tf32_and_autotune(device))
        stack.enter_context(keep_freed_memory())
        steps: dict[str, Step] = {}
        for name, way in WAYS.items():
            others = 0  # bytes that the ways before this one hold
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
                others = torch.cuda.memory_allocated(device)
            before = time.perf_counter()
            steps[name] = stack.enter_context(way(batch, device))
            seconds_of(steps[name], device)
            rows[name] = {"first_step": time.perf_counter() - before, "seconds": []}
            for _ in range(WARM_UP):
                steps[name]()
            rows[name]["memory"] = peak_memory(device) - others
        rates = [matrix_rate(device)]
        for _ in range(arguments.rounds):
            for name, step in steps.items():
                seconds = seconds_of(lambda step=step: [step() for _ in range(arguments.steps)], device)
                rows[name]["seconds"].append(seconds / arguments.steps)
            rates.append(matrix_rate(device))
        flops = flops_of(steps["plain"])
    rate = statistics.median(rates)
    for row in rows.values():
        row["median"] = statistics.median(row["seconds"])
        row["speedup"] = statistics.median(
            one / other for one, other in zip(rows["plain"]["seconds"], row["seconds"], strict=True)
        )
        row["utilization"] = flops / row["median"] / rate
    return {"batch": count, "flops": flops, "matrix_rate": rate, "ways": rows}


def bandwidth(device: torch.device) -> float:
    """Bytes per second of a large copy, read and written."""
    source = torch.empty(2**28 if device.type == "cuda" else 2**24, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    seconds = seconds_of(lambda: [target.copy_(source) for _ in range(10)], device)
    return 20 * source.nbytes / seconds


def show(found: dict[str, Any]) -> None:
    print(f"\nbatch {found['batch']}: matrix products reach {found['matrix_rate'] / 1e12:.1f} TFLOP/s")
    print(f"{'':16}{'ms/step':>10}{'images/s':>10}{'speedup':>9}{'of matrix rate':>16}{'GiB':>7}{'first step':>12}")
    for name, row in found["ways"].items():
        figures = (
            f"{1e3 * row['median']:>10.2f}{found['batch'] / row['median']:>10.1f}{row['speedup']:>9.2f}"
            f"{row['utilization']:>16.0%}{row['memory'] / 2**30:>7.2f}{row['first_step']:>10.1f} s"
        )
        print(f"{name:16}{figures}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", type=int, default=256, help="height and width in pixels, a multiple of 256")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20, help="steps in a round, which are timed as one")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    if arguments.size < 256 or arguments.size % 256:
        parser.error(f"the networks take multiples of 256 pixels, not {arguments.size}")
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA GPU here; to try the script: --device cpu --batches 1 --rounds 2 --steps 1")
    for name in [name for name in WAYS if name not in ("plain", *arguments.ways)]:
        del WAYS[name]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu"
    report: dict[str, Any] = {
        "device": name,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "bandwidth": bandwidth(device),
        "batches": [],
    }
    print(f"{name}, torch {torch.__version__}, copies at {report['bandwidth'] / 1e9:,.0f} GB/s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"gpu_{datetime.now(UTC):%Y-%m-%d_%H%M%S}.json"
    for count in arguments.batches:
        report["batches"].append(measure(count, arguments, device))
        show(report["batches"][-1])
        path.write_text(json.dumps(report, indent=2) + "\n")  # so that a machine that goes away leaves what is done
    print(f"\n{path}")


if __name__ == "__main__":
    main()
