"""Summary of networks, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from genlab.assemble.facts import count_parameters
from genlab.interfaces.network import Discriminator, Network


@dataclass(frozen=True)
class LevelRow:
    """One level: what it gives out (channels x height x width), what a skip adds to it, and its parameters."""

    name: str
    shape: str
    skip: str
    parameters: int


@dataclass(frozen=True)
class NetworkSummary:
    """A network as a table."""

    role: str
    headline: str
    parameters: int
    rows: Sequence[LevelRow]


def summarize_networks(
    networks: Mapping[str, Network], names: Mapping[str, str], channels: tuple[int, int], size: tuple[int, int]
) -> list[NetworkSummary]:
    """Pass one empty image through each network, and record the output shape of every level.

    Args:
        networks: by role.
        names: the components' names, by role.
        channels: of condition and image.
        size: height and width.
    """
    condition, image = (torch.zeros(1, count, *size) for count in channels)
    inputs = {
        role: [condition, image] if isinstance(network, Discriminator) else [condition]
        for role, network in networks.items()
    }
    return [_summarize(role, network, names[role], inputs[role]) for role, network in networks.items()]


def _summarize(role: str, network: Network, name: str, inputs: Sequence[Tensor]) -> NetworkSummary:
    shapes: dict[str, str] = {}
    handles = [level.module.register_forward_hook(_noting(shapes, level.name)) for level in network.levels()]
    # Not inference_mode(): a tensor that a network keeps from here could not be trained with afterwards.
    with torch.no_grad():
        result = network.eval()(*inputs)
    for handle in handles:
        handle.remove()
    rows = [
        LevelRow(level.name, shapes.get(level.name, ""), level.skip, sum(p.numel() for p in level.module.parameters()))
        for level in network.levels()
    ]
    parameters = count_parameters(network)
    headline = f"{name}, {parameters:,} parameters"
    if isinstance(network, Discriminator):
        headline += f", receptive field {network.receptive_field}, {_shape(result)} scores"
    return NetworkSummary(role, headline, parameters, rows)


def _noting(shapes: dict[str, str], name: str) -> Any:
    def note(_module: nn.Module, _inputs: Any, result: Any) -> None:
        if isinstance(result, Tensor):
            shapes[name] = _shape(result)

    return note


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(length) for length in tensor.shape[1:])
