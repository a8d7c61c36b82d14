"""Transfer of stored weights to a generator of the same structure, layer by layer in the order of a forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.conv import _ConvNd  # pyright: ignore[reportPrivateUsage]

from genlab.interfaces.network import Network
from genlab.tools.convert.layout import StoredLayer, Tensors

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


class MismatchError(Exception):
    """A layer of the weights that is not like that of the generator."""


@dataclass
class OwnLayer:
    """A convolution of a generator, and what normalizes its output.

    Args:
        level: the level that it is in, for people.
        name: of the convolution, in the generator.
        conv: the convolution.
        norm_name: name of the norm.
        norm: the norm, if it has one.
    """

    level: str
    name: str
    conv: _ConvNd
    norm_name: str = ""
    norm: _NormBase | None = None


@dataclass(frozen=True)
class Transferred:
    """Weights by the names of a generator, and the names of stored statistics that it does not use."""

    state: Mapping[str, Tensor]
    left_out: Sequence[str]


def transfer(generator: Network, layers: Sequence[StoredLayer], tensors: Tensors) -> Transferred:
    """Give stored weights the names of a generator's.

    Args:
        generator: with the same layers, in the order of its levels.
        layers: the stored ones in that order.
        tensors: the stored weights.

    Raises:
        MismatchError: a layer is missing or has another kind or shape, or there are further weights.
    """
    state: dict[str, Tensor] = {}
    for own, stored in zip_longest(own_layers(generator), layers):
        if own is None:
            raise MismatchError(f"the generator has no layer for {stored.conv}")
        if stored is None:
            raise MismatchError(f"there are no weights for {own.level} of the generator")
        state |= _convolution(own, stored, tensors)
        state |= _norm(own, stored, tensors)
    taken = {id(tensor) for tensor in state.values()}
    unused = [key for key in tensors if id(tensors[key]) not in taken]
    statistics = {f"{layer.norm}.{key}" for layer in layers for key in _STATISTICS}
    if further := [key for key in unused if key not in statistics]:
        more = f" and {len(further) - 1:,} more" if len(further) > 1 else ""
        raise MismatchError(f"the generator has no place for {further[0]} ({_shape(tensors[further[0]])}){more}")
    return Transferred(state, unused)


def own_layers(generator: Network) -> Iterator[OwnLayer]:
    """The convolutions of a generator with their norms, in the order of its levels."""
    names = {module: name for name, module in generator.named_modules()}
    for level in generator.levels():
        layer: OwnLayer | None = None
        for module in level.module.modules():
            if isinstance(module, _ConvNd):
                if layer:
                    yield layer
                layer = OwnLayer(level.name, names[module], module)
            elif isinstance(module, _NormBase) and layer:
                layer.norm_name, layer.norm = names[module], module
        if layer:
            yield layer


def _convolution(own: OwnLayer, stored: StoredLayer, tensors: Tensors) -> Iterator[tuple[str, Tensor]]:
    if own.conv.transposed != stored.transposed:
        kind = "a transposed" if stored.transposed else "an ordinary"
        raise MismatchError(f"{stored.conv} is {kind} convolution, and {own.level} of the generator is not")
    yield f"{own.name}.weight", _taken(own, tensors, f"{stored.conv}.weight", own.conv.weight)
    bias = tensors.get(f"{stored.conv}.bias")
    if own.conv.bias is None and bias is not None:
        raise MismatchError(f"{stored.conv}.bias is there, and {own.level} of the generator has no bias")
    if own.conv.bias is not None and bias is None:
        yield f"{own.name}.bias", torch.zeros_like(own.conv.bias)
    elif own.conv.bias is not None:
        yield f"{own.name}.bias", _taken(own, tensors, f"{stored.conv}.bias", own.conv.bias)


def _norm(own: OwnLayer, stored: StoredLayer, tensors: Tensors) -> Iterator[tuple[str, Tensor]]:
    if own.norm is None:
        if stored.norm and any(key.startswith(f"{stored.norm}.") for key in tensors):
            raise MismatchError(f"{stored.norm} is a norm, and {own.level} of the generator has none")
        return
    if stored.norm is None:
        raise MismatchError(f"{stored.conv} has no norm, and {own.level} of the generator has one")
    is_instance = isinstance(own.norm, nn.InstanceNorm2d)
    if is_instance and {f"{stored.norm}.weight", f"{stored.norm}.running_mean"} <= tensors.keys():
        raise MismatchError(f"{stored.norm} is a batch norm, and {own.level} of the generator has an instance norm")
    for key, tensor in own.norm.state_dict().items():
        name = f"{stored.norm}.{key}"
        if name in tensors:
            yield f"{own.norm_name}.{key}", _taken(own, tensors, name, tensor)
        elif is_instance or key == "num_batches_tracked":
            yield f"{own.norm_name}.{key}", torch.ones_like(tensor) if key == "weight" else torch.zeros_like(tensor)
        else:
            raise MismatchError(f"{name} is missing, which the norm of {own.level} needs")


def _taken(own: OwnLayer, tensors: Tensors, key: str, like: Tensor) -> Tensor:
    if key not in tensors:
        raise MismatchError(f"{key} is missing, which {own.level} of the generator needs")
    if tensors[key].shape != like.shape:
        raise MismatchError(f"{key} is {_shape(tensors[key])}, and {own.level} of the generator has {_shape(like)}")
    return tensors[key]


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one value"
