"""Tools for tests of networks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import jaxtyping
import torch
from torch import Tensor, nn

from genlab.testing.suite import require


@contextmanager
def without_shape_checks() -> Generator[None, None, None]:
    """Tests may have shapes checked at every call, which torch.compile cannot trace."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


def count_calls(modules: Sequence[nn.Module], call: Callable[[], object]) -> list[int]:
    """Number of calls of each of some modules in a forward pass."""
    calls = [0] * len(modules)

    def counting(index: int) -> Callable[..., None]:
        def count(*_: object) -> None:
            calls[index] += 1

        return count

    handles = [module.register_forward_hook(counting(index)) for index, module in enumerate(modules)]
    with torch.no_grad():
        call()
    for handle in handles:
        handle.remove()
    return calls


def stir(network: nn.Module, amount: float, seed: int = 0) -> None:
    """Add noise to all weights, so that none is at a special value, such as 0."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=rng), alpha=amount)


def require_close(given: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Fail unless two results are equal up to a share of their size."""
    error = (given - expected).norm() / expected.norm().clamp(min=1e-6)
    require(error <= tolerance, f"{what}: it differs by {error:.2g} of its size")


def channels_last(tensor: Tensor) -> Tensor:
    """An image or features in the memory format that GPUs prefer; other tensors as they are."""
    return tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def has_gradient(value: Tensor, inputs: Sequence[Tensor]) -> bool:
    """True if a gradient of a value reaches any of some inputs."""
    if not value.requires_grad:
        return False
    gradients = torch.autograd.grad(value.square().sum(), inputs, retain_graph=True, materialize_grads=True)
    return any(gradient.any() for gradient in gradients)
