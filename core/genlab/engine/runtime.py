"""The machine that a run is on: device, threads, random numbers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor

from genlab.errors import DeviceError, TrainingError


def choose_device(name: str) -> torch.device:
    """The device of that name; for `auto` the first that is there of cuda, mps and cpu."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, usable in there.items() if usable))
    if not there[name]:
        usable = ", ".join(device for device, is_there in there.items() if is_there)
        raise DeviceError(
            f"PyTorch {torch.__version__} finds no {name} device here; there is {usable}",
            hint="Leave the device to `auto`, or install the PyTorch build for your hardware.",
        )
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """The device as a person knows it."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    threads = torch.get_num_threads()
    return f"{device.type} ({threads} thread{'s' if threads > 1 else ''})"


@contextmanager
def memory_errors() -> Generator[None, None, None]:
    """Say what to do where memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise TrainingError(
            "there is not enough memory for this training",
            hint="A smaller input.size, train.batch_size or generator.channels needs less.",
        ) from error


def set_threads(threads: int | None) -> int:
    """Use that many CPU threads, or PyTorch's own choice; returns how many."""
    if threads is not None:
        torch.set_num_threads(threads)
    return torch.get_num_threads()


def random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of the generators of random numbers that training draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
