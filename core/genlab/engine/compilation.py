"""Compilation of networks (torch.compile, CUDA graphs), with a fallback to eager execution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from genlab.engine.precision import Forward, Precision
from genlab.errors import GenlabError
from genlab.interfaces.method import Method
from genlab.util.exceptions import summarize

# With small batches, launching kernels takes longer than running them: CUDA graphs launch them at once.
_SMALL_BATCH = 4
# A graph is warmed up, recorded, and played.
_ATTEMPTS = 3

_log = logging.getLogger("genlab")


def compile_networks(
    method: Method, precision: Precision, batch_size: int, device: torch.device, attempt: Callable[[], object]
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
    """
    _log.info("Compiling the networks, which takes a minute or two.")
    recorded = device.type == "cuda" and batch_size <= _SMALL_BATCH
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
    modules: list[nn.Module] = [*method.networks.values(), *(loss for loss, _ in method.losses.values())]
    buffers = [buffer for module in modules for buffer in module.buffers()]
    before = [buffer.clone() for buffer in buffers]
    state = {name: tensor.clone() for name, tensor in method.state().items()}
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
        method.load_state(state)
        for module in modules:
            module.zero_grad(set_to_none=True)


def next_step(device: torch.device) -> None:
    """Mark the start of a step, so that CUDA graphs may overwrite the last step's outputs."""
    if device.type == "cuda":
        torch.compiler.cudagraph_mark_step_begin()
