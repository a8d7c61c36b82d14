"""Conformance of what a loss's class says of itself: whether it is a mean over images, whether it remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genlab.testing.suite import require


def require_mean_is_declared(component: Any, name: str, value: Tensor, of_each: Sequence[Tensor]) -> None:
    """Fail if a class says that it is a mean over images, and it is not.

    Args:
        component: the class.
        name: what the value is called.
        value: of a batch.
        of_each: of each of its images alone.
    """
    mean = torch.stack(list(of_each)).mean()
    what = f"{name} is {value:.6g} for a batch, and {mean:.6g} on average over its images, one by one"
    hint = "take the mean over images, or say is_mean = False in the class"
    require(not component.is_mean or torch.isclose(value, mean, rtol=1e-3, atol=1e-6), f"{what}: {hint}")


def require_memory_is_declared(component: Any, one: nn.Module, other: nn.Module) -> None:
    """Fail if two losses that have seen different images have other buffers, and their class does not say so."""
    buffers = dict(other.named_buffers())
    changed = [name for name, buffer in one.named_buffers() if not buffer.equal(buffers[name])]
    what = f"its buffer `{changed and changed[0]}` depends on the images that it has seen"
    require(not changed or component.remembers_images, f"{what}: say remembers_images = True in the class")
