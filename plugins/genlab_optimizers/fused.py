"""PyTorch's fused kernels."""

from __future__ import annotations

from collections.abc import Iterable

from torch.nn import Parameter


def takes_fused(parameters: Iterable[Parameter]) -> bool:
    """True if PyTorch has a fused kernel for parameters where they are."""
    return all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
