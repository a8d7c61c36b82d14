"""Networks of a recipe: built to train and to predict, or only outlined, without storage for their weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from genlab.assemble.instances import check_network
from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.data.device import CPU
from genlab.engine.memory import TRAINED, available_memory, refuse_too_large, weights_within
from genlab.engine.runtime import memory_errors
from genlab.engine.seeding import initialize, seeded_construction
from genlab.errors import Fault, GenlabError, RecipeError
from genlab.interfaces.network import Discriminator, Generator, Network

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
        initialize(network, recipe.settings.seed, role)
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


def construct_networks(recipe: Recipe, channels: tuple[int, int], document: Document) -> dict[str, Network]:
    """Construct the recipe's networks, not initialized yet, and check that they take the recipe's size."""
    condition, image = channels
    supplied = {
        "generator": {"in_channels": condition, "out_channels": image},
        "discriminator": {"condition_channels": condition, "image_channels": image},
    }
    networks: dict[str, Network] = {}
    faults: list[Fault] = []
    for role, config in recipe.networks.items():
        try:
            with seeded_construction(recipe.settings.seed, role), memory_errors():
                networks[role] = config.build(**supplied[role])
        except RecipeError as error:
            faults += error.faults
        else:
            check_network(networks[role], config.component)
    faults += _size_faults(networks, recipe)
    if faults:
        raise recipe_error(faults, document)
    return networks


def _size_faults(networks: Mapping[str, Network], recipe: Recipe) -> list[Fault]:
    """Faults of the recipe's size for these networks."""
    size = recipe.settings.input.height_width
    given = size[0] if size[0] == size[1] else f"{size[0]} x {size[1]}"
    faults: list[Fault] = []
    generator, discriminator = networks.get("generator"), networks.get("discriminator")
    if isinstance(generator, Generator) and any(side % generator.size_multiple for side in size):
        multiple = generator.size_multiple
        near = sorted({max(multiple, side // multiple * multiple + extra) for side in size for extra in (0, multiple)})
        what = f"{recipe.networks['generator'].component} takes multiples of {multiple}, got {given}"
        hint = f"Nearest: {', '.join(map(str, near))}. A generator with fewer levels takes other sizes."
        faults.append(Fault(("input", "size"), what, hint))
    if isinstance(discriminator, Discriminator) and min(size) < discriminator.min_size:
        what = f"{recipe.networks['discriminator'].component} needs at least {discriminator.min_size}, got {given}"
        hint = "A discriminator with a smaller receptive field takes smaller images."
        faults.append(Fault(("input", "size"), what, hint))
    return faults
