"""Compilation of networks (torch.compile, CUDA graphs), with a fallback to eager execution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from genlab.engine.precision import Forward, Precision
from genlab.engine.snapshot import Snapshot
from genlab.engine.train_state import modules_of
from genlab.errors import GenlabError
from genlab.interfaces.method import Method
from genlab.util.exceptions import summarize

# With small batches, launching kernels takes longer than running them: CUDA graphs launch them at once.
_SMALL_BATCH = 4
# A graph is warmed up, recorded, and played.
_ATTEMPTS = 3

_log = logging.getLogger("genlab")


def compile_networks(
    method: Method,
    precision: Precision,
    batch_size: int,
    device: torch.device,
    attempt: Callable[[], object],
    accumulate: int = 1,
) -> None:
    """Compile the networks for training steps; on failure warn, and fall back to eager execution.

    Predictions use the eager networks.

    Args:
        method: the method.
        precision: the precision through which they are compiled.
        batch_size: on a CUDA GPU the kernels of small batches are recorded as CUDA graphs.
        device: where the networks are.
        attempt: computes everything that a step does, so that compilation fails now or not at all. Its changes of
            buffers and gradients are undone.
        accumulate: batches whose gradients are averaged; with more than one, forward passes are recomputed during
            backward passes, and no graphs are recorded.
    """
    _log.info("Compiling the networks, which takes a minute or two.")
    recorded = device.type == "cuda" and batch_size <= _SMALL_BATCH and accumulate == 1
    with _untouched(method):
        try:
            precision.transform(_recorded if recorded else _compiled)
            for _ in range(_ATTEMPTS if recorded else 1):
                next_step(device)
                attempt()
        except GenlabError:
            raise
        except Exception as error:  # noqa: BLE001  (compilers raise of every kind, and the training can do without)
            precision.transform(None)
            _log.warning("The networks could not be compiled, so training is slower: %s", summarize(error))


def _compiled(forward: Forward) -> Forward:
    return torch.compile(forward, dynamic=False)


def _recorded(forward: Forward) -> Forward:
    played = torch.compile(forward, mode="reduce-overhead", dynamic=False)

    def compute(*given: Tensor, **named: Tensor) -> Any:
        # A method may keep a network's output for a later step, whose replay overwrites the same memory.
        return tree_map_only(Tensor, Tensor.clone, played(*given, **named))

    return compute


@contextmanager
def _untouched(method: Method) -> Generator[None]:
    """Restore buffers after the block, and drop its gradients."""
    before = Snapshot(method)
    try:
        yield
    finally:
        before.restore()
        for module in modules_of(method):
            module.zero_grad(set_to_none=True)


def next_step(device: torch.device) -> None:
    """Mark the start of a step, so that CUDA graphs may overwrite the last step's outputs."""
    if device.type == "cuda":
        torch.compiler.cudagraph_mark_step_begin()
