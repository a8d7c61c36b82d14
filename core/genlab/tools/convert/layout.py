"""Layout of the reference's generators: their layers by their keys, and the settings of a generator of that structure.

The keys are those of pytorch-CycleGAN-and-pix2pix, models/networks.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

Tensors = Mapping[str, Tensor]


class OtherLayoutError(Exception):
    """A state dict of a network that is like the reference's and has parts that no generator here has."""


@dataclass(frozen=True)
class StoredLayer:
    """A convolution of a state dict, and what normalizes its output.

    Args:
        conv: what the keys of the convolution begin with.
        norm: what those of the norm begin with, if it has one; an instance norm may have no keys at all.
        transposed: whether the convolution is transposed.
    """

    conv: str
    norm: str | None = None
    transposed: bool = False


@dataclass(frozen=True)
class Layout:
    """Structure that a state dict is the weights of.

    Args:
        name: as the reference calls it, such as `unet_256`, and its norm.
        generator: the table of the generator of the same structure.
        size: height and width of its training, in pixels, by the reference's defaults.
        channels: of condition and target.
        layers: in the order of a forward pass.
    """

    name: str
    generator: Mapping[str, Any]
    size: int
    channels: tuple[int, int]
    layers: Sequence[StoredLayer]


def norm_of(tensors: Tensors, layers: Sequence[StoredLayer]) -> Literal["batch", "instance", "none"]:
    """The norm of a state dict, by its first normalized layer.

    A batch norm has parameters and statistics; beside an instance norm, and not beside a batch norm or none, the
    reference's convolutions have biases.
    """
    layer = next(layer for layer in layers if layer.norm)
    found = {key for key in ("weight", "running_mean") if f"{layer.norm}.{key}" in tensors}
    if len(found) == 2:
        return "batch"
    return "instance" if found or f"{layer.conv}.bias" in tensors else "none"


def norm_in_words(norm: str) -> str:
    """A norm for people."""
    return "no norm" if norm == "none" else f"{norm} norm"
