"""Summary of networks, level by level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genlab.assemble.experiment import construct, prepare, with_ranges
from genlab.assemble.facts import count_frozen, count_parameters
from genlab.assemble.networks import outline_networks, outlined
from genlab.assemble.open_data import open_data
from genlab.assemble.read import read_recipe
from genlab.assemble.recipe import Recipe
from genlab.assemble.weights_match import WeightsMatch
from genlab.errors import DataUnavailableError
from genlab.interfaces.network import Discriminator, Generator, Network, as_scored
from genlab.interfaces.role import SIDES, Role
from genlab.runs.starting_weights import read_starting_weights
from genlab.util.arguments import checked_arguments


@dataclass(frozen=True)
class LevelRow:
    """One level: what it gives out (channels x height x width), what a skip adds to it, and its parameters.

    Args:
        name: the level's.
        shape: of its output; empty where it has none.
        skip: what a skip connection adds to it, such as `+ encoder 7`, or nothing.
        parameters: their number.
        frozen: how many of them are not trained.
    """

    name: str
    shape: str
    skip: str
    parameters: int
    frozen: int


@dataclass(frozen=True)
class NetworkSummary:
    """A network as a table, and what it starts with besides what is drawn."""

    role: str
    headline: str
    parameters: int
    rows: Sequence[LevelRow]
    start: WeightsMatch | None = None


@checked_arguments
def describe_networks(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = ()
) -> list[NetworkSummary]:
    """A recipe's networks level by level, for its data's channels, or for three where the data are not available.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong.
        DataError: the data are there and damaged.
    """
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    built = checked.recipe
    try:
        data = open_data(construct(built, checked.document).data)
        channels = prepare(with_ranges(built, data), data.training).channels
    except DataUnavailableError:
        channels = (3, 3)
    weights = read_starting_weights(built, checked.document)

    def describe() -> list[NetworkSummary]:
        networks, starts = outline_networks(built, channels, weights, checked.document)
        return _summarize_all(networks, built, channels, starts)

    return outlined(describe)


def _summarize_all(
    networks: Mapping[str, Network], recipe: Recipe, channels: tuple[int, int], starts: Mapping[str, WeightsMatch]
) -> list[NetworkSummary]:
    """Pass one empty image through each network, and record the output shape of every level."""
    summaries: list[NetworkSummary] = []
    for role, network in networks.items():
        inputs = _inputs(network, recipe.roles[role], channels, recipe.settings.input.height_width)
        summary = _summarize(role, network, recipe.networks[role].component.name, inputs)
        summaries.append(replace(summary, start=starts.get(role)))
    return summaries


class _Inputs(NamedTuple):
    """Empty inputs of a network; none where it reads what another network gives."""

    images: Sequence[Tensor]
    further: Mapping[str, Tensor]


def _inputs(network: Network, role: Role, channels: tuple[int, int], size: tuple[int, int]) -> _Inputs | None:
    counts: dict[str | int, int] = {thing: thing for thing in role.reads if isinstance(thing, int)}
    counts |= dict(zip(SIDES, channels, strict=True))
    if not counts.keys() >= set(role.reads):
        return None
    read = [torch.zeros(1, counts[thing], *size) for thing in role.reads]
    if isinstance(network, Generator):
        further = {name: torch.zeros(1, count) for name, count in network.inputs.items() if name == "latent"}
        further |= {name: torch.zeros(1) for name in network.inputs if name == "time"}
        further |= {name: torch.zeros(1, dtype=torch.long) for name in network.inputs if name == "label"}
        return _Inputs([torch.cat(read, dim=1)], further)
    if isinstance(network, Discriminator):
        *shown, image = read
        return _Inputs([torch.cat([image[:, :0], *shown], dim=1), image], {})
    return _Inputs(read, {})


def _summarize(role: str, network: Network, name: str, inputs: _Inputs | None) -> NetworkSummary:
    shapes: dict[str, str] = {}
    handles = [level.module.register_forward_hook(_noting(shapes, level.name)) for level in network.levels()]
    # Not inference_mode(): a tensor that a network keeps from here could not be trained with afterwards.
    with torch.no_grad():
        results = [network.eval()(*inputs.images, **inputs.further)] if inputs else []
    for handle in handles:
        handle.remove()
    rows = [
        LevelRow(
            level.name,
            shapes.get(level.name, ""),
            level.skip,
            count_parameters(level.module),
            count_frozen(level.module),
        )
        for level in network.levels()
    ]
    parameters = count_parameters(network)
    headline = f"{name}, {parameters:,} parameters"
    if frozen := count_frozen(network):
        headline += f", {frozen:,} of them frozen"
    if isinstance(network, Discriminator):
        maps = ", ".join(_shape(scores) for result in results for scores in as_scored(result).maps)
        headline += f", receptive field {network.receptive_field}, {maps} scores"
    return NetworkSummary(role, headline, parameters, rows)


def _noting(shapes: dict[str, str], name: str) -> Any:
    def note(_module: nn.Module, _inputs: Any, result: Any) -> None:
        if isinstance(result, Tensor):
            shapes[name] = _shape(result)

    return note


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(length) for length in tensor.shape[1:])
