"""Measurement of a piece of work: its time, its floating-point operations, and the memory of its tensors."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import flop_registry
from typing_extensions import override


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Seconds until the results of some work are available (synchronized)."""
    _wait(device)
    before = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - before


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def flops_of(work: Callable[[], object]) -> int:
    """The floating-point operations of matrix products and convolutions in some work."""
    with _FlopCounter() as counter:
        work()
    return counter.total


def peak_bytes_of(work: Callable[[], object], held: Iterable[Tensor]) -> int:
    """The most bytes that tensors take at a time in some work, on whatever device.

    Args:
        work: creates and drops tensors.
        held: tensors that are there before.
    """
    with _AllocationTracker() as tracker:
        tracker.note(held)
        work()
    return tracker.most


class _FlopCounter(TorchDispatchMode):
    """PyTorch's formulas, applied to each operation; its own counter does not take gradients of gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    @override
    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if formula := flop_registry.get(func.overloadpacket):
            self.total += formula(*args, **kwargs, out_val=result)
        return result


class _AllocationTracker(TorchDispatchMode):
    """Counts the bytes of storages from the operation that makes them to their release."""

    def __init__(self) -> None:
        super().__init__()
        self.most = self._now = 0
        self._sizes: dict[int, int] = {}  # by identity, as tensors may share a storage

    @override
    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.note(value for value in tree_iter(result) if isinstance(value, Tensor))
        return result

    def note(self, tensors: Iterable[Tensor]) -> None:
        """Count tensors that are new."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            key = storage._cdata  # pyright: ignore[reportPrivateUsage]
            if key not in self._sizes:
                self._sizes[key] = storage.nbytes()
                self._now += storage.nbytes()
                self.most = max(self.most, self._now)
                weakref.finalize(storage, self._release, key)

    def _release(self, key: int) -> None:
        self._now -= self._sizes.pop(key)
