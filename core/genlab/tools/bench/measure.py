"""Measurement of FLOP/s, shares of a step and memory, on a CPU or a GPU."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from genlab.engine.step import RANGE
from genlab.engine.work import seconds_of

# Large enough that more does not raise the rate, small enough not to take long.
_MATRIX = {"cpu": (1536, torch.float32), "cuda": (8192, torch.bfloat16)}
_PRODUCTS = 4
PROFILED = 4


def matrix_rate(device: torch.device) -> float:
    """Floating-point operations per second of a large matrix product."""
    side, dtype = _MATRIX.get(device.type, _MATRIX["cpu"])
    a, b = (torch.rand(side, side, dtype=dtype, device=device) for _ in range(2))

    def products() -> None:
        for _ in range(_PRODUCTS):
            torch.mm(a, b)

    products()
    return 2 * side**3 * _PRODUCTS / seconds_of(products, device)


def shares_of(step: Callable[[], object], device: torch.device) -> dict[str, float]:
    """Shares of a step's time by the parts that it names; empty on a GPU, which computes them later."""
    if device.type != "cpu":
        return {}
    # The first is left out: with it the profiler starts.
    plan = schedule(wait=0, warmup=1, active=PROFILED - 1, repeat=1)
    with profile(activities=[ProfilerActivity.CPU], schedule=plan) as profiler:
        for _ in range(PROFILED):
            step()
            profiler.step()
    found = {
        event.key.removeprefix(RANGE): event.cpu_time_total
        for event in profiler.key_averages()
        if event.key.startswith(RANGE)
    }
    total = sum(found.values())
    return {name: time / total for name, time in found.items()}


def peak_memory(device: torch.device) -> int:
    """Peak memory of this process in bytes; on a GPU that of its tensors."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def processor() -> str:
    """The processor's model name."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
