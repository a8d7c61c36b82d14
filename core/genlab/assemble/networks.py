"""Networks of a recipe: built to train and to predict, or only outlined, without storage for their weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from genlab.assemble.frozen_networks import freeze_networks
from genlab.assemble.instances import check_network
from genlab.assemble.recipe import Recipe
from genlab.assemble.roles import role_faults
from genlab.assemble.starting_weights import StoredWeights, match_weights
from genlab.assemble.weights_match import WeightsMatch
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.data.device import CPU
from genlab.engine.memory import TRAINED, available_memory, refuse_too_large, weights_within
from genlab.engine.runtime import memory_errors
from genlab.engine.seeding import initialize, seeded_construction
from genlab.errors import Fault, GenlabError, RecipeError
from genlab.interfaces.channels import supplied_channels
from genlab.interfaces.network import Network
from genlab.interfaces.role import SIDES

T = TypeVar("T")


def build_networks(
    recipe: Recipe, channels: tuple[int, int], document: Document, train_on: torch.device | None = None
) -> dict[str, Network]:
    """Build the recipe's networks on the CPU, initialized and checked to take the recipe's size.

    Args:
        recipe: with their settings.
        channels: of condition and image.
        document: locates faults in the recipe.
        train_on: the device to train them on, if they are to be trained; its memory is checked before.

    Raises:
        RecipeError: settings that a network rejects, or a size that it cannot take.
        TrainingError: they exceed the memory available.
    """
    available, copies = available_memory(train_on or CPU), TRAINED if train_on else 1
    with weights_within(available, copies):
        networks = construct_networks(recipe, channels, document)
    weights = sum(weight.nbytes for network in networks.values() for weight in network.parameters())
    refuse_too_large(weights, available, copies)  # those that were copied from other modules, too
    for role, network in networks.items():
        initialize(network, recipe.settings.seed, _seed_name(role, recipe))
        if not recipe.roles[role].trained:
            network.requires_grad_(False).eval()
    return networks


def outlined(describe: Callable[[], T]) -> T:
    """Call a function that describes networks, which it constructs, without storage for their weights.

    It runs on PyTorch's meta device. Where a component computes with values, which there are none of, it runs once more
    on the CPU, with weights up to the memory available.

    Raises:
        TrainingError: that memory is not enough.
    """
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return describe()
    except GenlabError:
        raise
    except Exception:  # noqa: BLE001  (whatever a component raises without values; if it is at fault, it raises again)
        with weights_within(available_memory(CPU)):
            return describe()


def outline_networks(
    recipe: Recipe, channels: tuple[int, int], weights: Mapping[str, StoredWeights], document: Document
) -> tuple[dict[str, Network], dict[str, WeightsMatch]]:
    """Construct the networks of a training without its values: stored weights are only compared, and parts are frozen.

    Returns also what of the stored weights matches, by role; `RecipeError` for settings that do not go together.
    """
    networks = construct_networks(recipe, channels, document)
    starts = match_weights(recipe, networks, weights, document)
    freeze_networks(recipe, networks, document)
    return networks, starts


def construct_networks(recipe: Recipe, channels: tuple[int, int], document: Document) -> dict[str, Network]:
    """Construct the recipe's networks, not initialized yet; check that they fit roles and the recipe's size."""
    networks: dict[str, Network] = {}
    faults: list[Fault] = []
    for role, config in recipe.networks.items():
        if faults and any(thing in recipe.networks for thing in recipe.roles[role].reads):
            continue  # its channels are those of a network that may be at fault
        supplied = supplied_channels(recipe.roles[role], dict(zip(SIDES, channels, strict=True)), networks)
        wanted = {name: value for name, value in supplied.items() if name in config.component.contract.supplied}
        try:
            with seeded_construction(recipe.settings.seed, _seed_name(role, recipe)), memory_errors():
                networks[role] = config.build(**wanted)
        except RecipeError as error:
            faults += error.faults
        else:
            check_network(networks[role], config.component)
            faults += role_faults(role, networks, recipe)
    if faults:
        raise recipe_error(faults, document)
    return networks


def _seed_name(role: str, recipe: Recipe) -> str:
    """The name that first weights are drawn by: a network that is not trained starts as the one that it is like."""
    of = recipe.roles[role]
    return _seed_name(of.like, recipe) if of.like and not of.trained else role
