"""Transfer of tensors to the networks' device."""

from __future__ import annotations

import torch
from torch import Tensor

CPU = torch.device("cpu")


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to a device; from pinned memory, so that the copy to a GPU overlaps its computation."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
