"""Memory of the machine: how much is available, and refusal of what exceeds it before it is allocated."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from rich.filesize import decimal
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.nn.parameter import UninitializedParameter

from genlab.engine.runtime import SMALLER
from genlab.errors import TrainingError

TRAINED = 4
"""Copies of weights in a training: themselves, their gradients, and the two running means of Adam."""

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_memory(device: torch.device) -> int | None:
    """Bytes that new tensors on a device can take, or None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    with suppress(OSError):
        found = re.search(r"^MemAvailable:\s*(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
        return min([int(found[1]) * 1024, *_cgroup_limits()]) if found else None
    return None


def _cgroup_limits() -> Generator[int]:
    """Limits of the container, where there are any."""
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            yield int(Path(path).read_text())


@contextmanager
def weights_within(available: int | None, copies: int = 1) -> Generator[None, None, None]:
    """Context in which modules take weights only up to the memory available, refused before they are filled.

    A system that runs short of memory would kill the process instead.

    Args:
        available: bytes for all weights and their copies, or None for no limit.
        copies: `TRAINED` for networks to be trained.

    Raises:
        TrainingError: at the first weight that exceeds it.
    """
    weights: dict[int, int] = {}  # bytes by identity, as modules may share a weight

    def count(_module: nn.Module, _name: str, weight: nn.Parameter) -> None:
        if id(weight) not in weights and not isinstance(weight, UninitializedParameter):
            weights[id(weight)] = weight.nbytes
            refuse_too_large(sum(weights.values()), available, copies)

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()


def refuse_too_large(weights: int, available: int | None, copies: int) -> None:
    """Raise a `TrainingError` if weights of so many bytes and their copies exceed the memory available."""
    if available is not None and copies * weights > available:
        what = "weights, gradients and optimizer state" if copies == TRAINED else "weights"
        need = f"{what} of the networks need at least {decimal(copies * weights)}"
        raise TrainingError(f"out of memory: {need}, and {decimal(available)} are available", hint=SMALLER)
