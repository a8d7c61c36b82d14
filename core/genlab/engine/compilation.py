"""Networks compiled for a training, or the reason why they are not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager

import torch
from torch import nn

from genlab.failures import told
from genlab.interfaces.method import Method

# A GPU is done with a kernel of a small batch before the next one is launched: recorded, they are launched as one.
_SMALL_BATCH = 4

_log = logging.getLogger("genlab")


@contextmanager
def compiled(method: Method, batch_size: int, device: torch.device, attempt: Callable[[], object]) -> Generator[None]:
    """In this block the method's networks are compiled, if that can be done; otherwise a warning says why they are not.

    Args:
        method: the method.
        batch_size: on a CUDA GPU the kernels of small batches are recorded as CUDA graphs.
        device: where the networks are.
        attempt: computes all that a step will, so that what cannot be compiled shows now. Whatever it leaves in buffers
            and gradients is taken back.
    """
    mode = "reduce-overhead" if device.type == "cuda" and batch_size <= _SMALL_BATCH else "default"
    stance = "default"
    _log.info("The networks are compiled first, which takes a minute or two.")
    with _untouched(method):
        try:
            for network in method.networks.values():
                network.compile(mode=mode, dynamic=False)
            attempt()
        except Exception as error:  # noqa: BLE001  (compilers raise of every kind, and the training can do without)
            stance = "force_eager"
            _log.warning("The networks are not compiled, and the training is slower: %s", told(error))
    with torch.compiler.set_stance(stance):
        yield


@contextmanager
def _untouched(method: Method) -> Generator[None]:
    """What is computed in this block leaves buffers as they were, and no gradients."""
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
    """Tell recorded graphs that what the last step computed may be written over."""
    if device.type == "cuda":
        torch.compiler.cudagraph_mark_step_begin()
