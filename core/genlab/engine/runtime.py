"""Runtime settings of the machine: device, threads, memory."""

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
    """Select a device by name; `auto` selects the first available of cuda, mps and cpu."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in ("auto", *there):
        raise DeviceError(f"expected a device of auto, {', '.join(there)}, got {name!r}")
    if name == "auto":
        return torch.device(next(device for device, usable in there.items() if usable))
    if not there[name]:
        usable = ", ".join(device for device, is_there in there.items() if is_there)
        raise DeviceError(
            f"PyTorch {torch.__version__} finds no {name} device here; available: {usable}",
            hint="Choose one of these or `auto`, or install another build of PyTorch.",
        )
    return torch.device(name)


_STEPS_WORTH_COMPILING = 1000


def settle_train(train: Train) -> Train:
    """Fill in the machine-dependent settings: device, threads, precision, compilation."""
    device = choose_device(train.device)
    compiled = device.type == "cuda" and train.steps >= _STEPS_WORTH_COMPILING and not train.sync_batch_norm
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
    """Display name of the device; for a CPU with the number of threads."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    threads = threads or torch.get_num_threads()
    return f"{device.type} ({threads} thread{'s' if threads > 1 else ''})"


# Messages of the CPU allocators of Linux and Windows, of Apple's GPUs and of cuBLAS.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "Storage size calculation")
SMALLER = "Reduce input.size, train.batch_size or generator.channels."


@contextmanager
def memory_errors(hint: str = SMALLER) -> Generator[None, None, None]:
    """Raise out-of-memory errors as `TrainingError`s with a remedy."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(s in str(error) for s in _NO_MEMORY):
            raise
        raise TrainingError("out of memory", hint=hint) from error


@contextmanager
def cpu_threads(threads: int | None) -> Generator[None, None, None]:
    """Context that sets the number of CPU threads; None leaves PyTorch's default."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def place(module: nn.Module, device: torch.device) -> None:
    """Move a module to a device, with weights in the memory format of its fastest convolutions."""
    if device.type == "cuda":
        module.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    else:
        module.to(device)


@contextmanager
def tf32_and_autotune(device: torch.device) -> Generator[None, None, None]:
    """Context with TF32 and cuDNN autotuning (benchmark mode) on a CUDA GPU.

    Input sizes are constant, so autotuning pays. The chosen kernels, and so roundings, can differ between runs.
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
    """A parameter of mallopt(3), which can be set but not read."""

    number: int
    name: str
    default: int

    def initial(self) -> int:
        """The value that glibc read from the environment at start-up."""
        found = re.search(rf"\bglibc\.malloc\.{self.name}=([^:]*)", os.environ.get("GLIBC_TUNABLES", ""))
        given = found[1] if found else os.environ.get(f"MALLOC_{self.name.upper()}_")
        try:
            return int(given, 0) if given else self.default
        except ValueError:  # glibc ignores it, too
            return self.default


_TRIM_THRESHOLD = _MallocParameter(-1, "trim_threshold", 128 * 1024)
_MMAP_MAX = _MallocParameter(-4, "mmap_max", 65_536)
_NEVER = 2**31 - 1


@contextmanager
def keep_freed_memory() -> Generator[None, None, None]:
    """Context in which freed memory stays with the process, for the next tensors.

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
