"""Layers of the residual generator."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

NormName = Literal["instance", "batch", "none"]
PaddingMode = Literal["reflect", "replicate", "zeros"]

_NORMS: dict[NormName, Callable[[int], nn.Module | None]] = {
    "instance": nn.InstanceNorm2d,
    "batch": nn.BatchNorm2d,
    "none": lambda _: None,
}


def convolved(
    fan_in: int, fan_out: int, size: int, norm: NormName, padding: PaddingMode, *, stride: int = 1
) -> nn.Sequential:
    """A convolution, its norm, and a ReLU."""
    conv = nn.Conv2d(fan_in, fan_out, size, stride, padding=size // 2, padding_mode=padding, bias=_has_bias(norm))
    return _chain(conv=conv, norm=_NORMS[norm](fan_out), activation=nn.ReLU())


def upsampled(fan_in: int, fan_out: int, norm: NormName) -> nn.Sequential:
    """A transposed convolution 3x3 that doubles height and width, its norm, and a ReLU."""
    conv = nn.ConvTranspose2d(fan_in, fan_out, 3, stride=2, padding=1, output_padding=1, bias=_has_bias(norm))
    return _chain(conv=conv, norm=_NORMS[norm](fan_out), activation=nn.ReLU())


class ResidualBlock(nn.Module):
    """Two convolutions 3x3 whose result is added to what they are given, without an activation after the sum.

    Args:
        channels: feature maps.
        norm: after each convolution.
        padding: around each.
        dropout: share of the features between the convolutions that is dropped in training.
    """

    def __init__(self, channels: int, norm: NormName, padding: PaddingMode, dropout: float) -> None:
        super().__init__()
        self.first = convolved(channels, channels, 3, norm, padding)
        self.dropout = nn.Dropout(dropout)
        second = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding, bias=_has_bias(norm))
        self.second = _chain(conv=second, norm=_NORMS[norm](channels))

    @override
    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return features + self.second(self.dropout(self.first(features)))


def _has_bias(norm: NormName) -> bool:
    """A batch norm shifts by itself; an instance norm takes a bias away, but the weights of the reference have one."""
    return norm != "batch"


def _chain(**layers: nn.Module | None) -> nn.Sequential:
    return nn.Sequential(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))
