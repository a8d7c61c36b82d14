"""The machine that a run is on: device, threads, memory."""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from genlab.config.schema import Train
from genlab.errors import DeviceError, TrainingError

_log = logging.getLogger("genlab")


def choose_device(name: str) -> torch.device:
    """The device of that name; for `auto` the first that is there of cuda, mps and cpu."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in ("auto", *there):
        raise DeviceError(f"expected a device of auto, {', '.join(there)}, got {name!r}")
    if name == "auto":
        return torch.device(next(device for device, usable in there.items() if usable))
    if not there[name]:
        usable = ", ".join(device for device, is_there in there.items() if is_there)
        raise DeviceError(
            f"PyTorch {torch.__version__} finds no {name} device here; there is {usable}",
            hint="Set train.device to `auto`, for a run from before in its recipe.toml, or install another PyTorch.",
        )
    return torch.device(name)


_STEPS_WORTH_COMPILING = 1000


def settle_train(train: Train) -> Train:
    """The table with what it leaves to the machine chosen."""
    device = choose_device(train.device)
    compiled = device.type == "cuda" and train.steps >= _STEPS_WORTH_COMPILING
    return train.model_copy(
        update={
            "device": device.type,
            "threads": train.threads or torch.get_num_threads(),
            "precision": _choose_precision(train.precision, device),
            "compile": compiled if train.compile == "auto" else train.compile,
        }
    )


def _choose_precision(name: str, device: torch.device) -> str:
    lacks_bfloat16 = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    if name == "bfloat16" and lacks_bfloat16:
        _log.warning("%s has no bfloat16, so float16 is used, with scaled losses.", torch.cuda.get_device_name(device))
        return "float16"
    if name != "auto":
        return name
    if device.type != "cuda":
        return "float32"
    return "float16" if lacks_bfloat16 else "bfloat16"


def device_name(device: torch.device, threads: int | None) -> str:
    """The device as a person knows it; of a CPU with the threads that are used, PyTorch's own choice unless given."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    threads = threads or torch.get_num_threads()
    return f"{device.type} ({threads} thread{'s' if threads > 1 else ''})"


# How the CPU allocators of Linux and Windows, Apple's GPUs and cuBLAS say it.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def memory_errors() -> Generator[None, None, None]:
    """Say what to do where memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(s in str(error) for s in _NO_MEMORY):
            raise
        raise TrainingError(
            "there is not enough memory for this training",
            hint="A smaller input.size, train.batch_size or generator.channels needs less.",
        ) from error


@contextmanager
def cpu_threads(threads: int | None) -> Generator[None, None, None]:
    """Compute with that many threads in this block, or with PyTorch's own choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def place(module: nn.Module, device: torch.device) -> None:
    """Move a module to a device, with its weights in the layout that convolutions are fastest in there."""
    if device.type == "cuda":
        module.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    else:
        module.to(device)


@contextmanager
def tf32_and_autotune(device: torch.device) -> Generator[None, None, None]:
    """Let a CUDA GPU use TF32 for float32, and autotune its convolutions, within the block.

    Layers have one size each, so that trying pays. Which one wins can differ from run to run, and so can roundings.
    """
    if device.type != "cuda":
        yield
        return
    matmul: Any = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    matmul.allow_tf32 = True
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True):
            yield
    finally:
        matmul.allow_tf32 = before


class _MallocParameter(NamedTuple):
    """A parameter of mallopt(3), which can be set and not read."""

    number: int
    name: str
    default: int

    def initial(self) -> int:
        """The value that glibc took when the process started, from its environment."""
        found = re.search(rf"\bglibc\.malloc\.{self.name}=([^:]*)", os.environ.get("GLIBC_TUNABLES", ""))
        given = found[1] if found else os.environ.get(f"MALLOC_{self.name.upper()}_")
        try:
            return int(given, 0) if given else self.default
        except ValueError:  # which glibc passes over, too
            return self.default


_TRIM_THRESHOLD = _MallocParameter(-1, "trim_threshold", 128 * 1024)
_MMAP_MAX = _MallocParameter(-4, "mmap_max", 65_536)
_NEVER = 2**31 - 1


@contextmanager
def keep_freed_memory() -> Generator[None, None, None]:
    """Keep memory that tensors free in this block with the process, for the next ones.

    PyTorch takes the memory of a CPU's tensors from the C library, and glibc hands large pieces back to the system as
    soon as they are free. Every step then has its gradients' pages cleared again, which takes longer than Adam. Other C
    libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX.number, 0)
    libc.mallopt(_TRIM_THRESHOLD.number, _NEVER)
    try:
        yield
    finally:
        for parameter in (_MMAP_MAX, _TRIM_THRESHOLD):
            libc.mallopt(parameter.number, parameter.initial())
        libc.malloc_trim(0)
