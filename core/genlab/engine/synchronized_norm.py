"""Batch norm by the statistics of a whole batch that several processes share."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from types import new_class
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm  # pyright: ignore[reportPrivateUsage]
from typing_extensions import override

from genlab.engine.processes import Processes


@contextmanager
def synchronized_norms(networks: Iterable[nn.Module], processes: Processes) -> Generator[None, None, None]:
    """Context in which the batch norms of networks normalize by the statistics of all processes' inputs.

    Each of a process's inputs is as large as those of the others. The layers stay what they are: only their class is
    another one meanwhile, so that their parameters, their names and whatever else uses them know nothing of it.
    """
    found = [module for network in networks for module in network.modules() if _is_plain(module)]
    before = [(module, type(module)) for module in dict.fromkeys(found)] if processes.size > 1 else []
    for module, kind in before:
        module.__class__ = _synchronized(kind)
        cast(_SynchronizedNorm, module).processes = processes
    try:
        yield
    finally:
        for module, kind in before:
            module.__class__ = kind
            del cast(_SynchronizedNorm, module).processes


def _is_plain(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm)


@cache
def _synchronized(kind: type[nn.Module]) -> type[nn.Module]:
    """The class of a batch norm, with PyTorch's part of it replaced; what a subclass adds stays."""
    return new_class(f"Synchronized{kind.__name__}", (kind, _SynchronizedNorm))


class _SynchronizedNorm(_BatchNorm):
    """Comes in the order of classes before `_BatchNorm`, and after the classes that extend it."""

    processes: Processes

    # `input` is what PyTorch's layers call it.
    @override
    def forward(self, input: Tensor) -> Tensor:
        by_batch = self.training or self.running_mean is None or self.running_var is None
        if not by_batch:
            return super().forward(input)
        shape = (1, -1, *[1] * (input.ndim - 2))
        values = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
        variance, mean = self._statistics(values)
        self._track(mean.detach(), variance.detach(), self.processes.size * input.numel() // input.shape[1])
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:  # pyright: ignore[reportUnnecessaryComparison]  (None without `affine`)
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale  # pyright: ignore
        return (values * scale.view(shape) + shift.view(shape)).to(input.dtype)

    def _statistics(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Variance and mean over all processes' values, by channel, from those of each (Chan et al. 1983)."""
        axes = [axis for axis in range(values.ndim) if axis != 1]
        own = torch.stack(torch.var_mean(values, axes, correction=0))
        place = torch.zeros(self.processes.size, 1, 1, dtype=own.dtype, device=own.device)
        place[self.processes.rank] = 1
        variances, means = _Sum.apply(place * own, self.processes).unbind(1)
        mean = means.mean(0)
        return variances.mean(0) + (means - mean).square().mean(0), mean

    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running statistics, as `nn.BatchNorm2d` does."""
        if not (self.training and self.track_running_stats) or self.running_mean is None or self.running_var is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked or 1) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_((variance * (count / max(count - 1, 1))).to(self.running_var.dtype), share)


class _Sum(torch.autograd.Function):
    """Sum over processes, each of whose objectives depends on the sum: so a gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, processes: Processes) -> Tensor:  # pyright: ignore
        ctx.processes = processes
        return processes.summed(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        return cast(Any, _Sum).apply(gradient, ctx.processes), None
