"""Tensors on their way to where the networks are."""

from __future__ import annotations

import torch
from torch import Tensor

CPU = torch.device("cpu")


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; from pinned memory, so that a copy to a GPU goes on beside its computation."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
