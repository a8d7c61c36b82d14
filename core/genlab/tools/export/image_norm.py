"""Normalization of feature maps by the statistics of each image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.instancenorm import _InstanceNorm  # pyright: ignore[reportPrivateUsage]
from typing_extensions import override


class ImageNorm(nn.Module):
    """Batch norm of a single image, or instance norm, with the scale and shift of that layer, for batches of any size.

    A batch norm that sees one image at a time computes the statistics of an instance norm. Unlike PyTorch's layers it
    takes maps of 1 x 1, which become the shift, so that a graph of it has no condition on the size.

    Args:
        norm: the layer that it replaces, whose parameters it keeps.
    """

    def __init__(self, norm: _BatchNorm | _InstanceNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    # `input` is what PyTorch's layers call it.
    @override
    def forward(self, input: Tensor) -> Tensor:
        return torch.instance_norm(input, self.weight, self.bias, None, None, True, 0.0, self.eps, False)


def normalize_each_image(network: nn.Module, *, batch_norms: bool) -> None:
    """Replace the layers of a network that would compute statistics over a batch, or have conditions on the size.

    Args:
        network: the network, in evaluation mode.
        batch_norms: whether its batch norms use the statistics of what they are given, and not their running ones.
    """
    for parent in [*network.modules()]:
        for name, layer in parent.named_children():
            of_batch = isinstance(layer, _BatchNorm) and (batch_norms or layer.running_mean is None)
            of_image = isinstance(layer, _InstanceNorm) and layer.running_mean is None
            if (of_batch or of_image) and isinstance(layer, _BatchNorm | _InstanceNorm):
                setattr(parent, name, ImageNorm(layer))
