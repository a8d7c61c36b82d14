"""A checked recipe made into an experiment: data opened, networks built and initialised, all of it fitting together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from genlab.build.recipe import Recipe
from genlab.components import Spec
from genlab.data.augment import load_size
from genlab.data.prepared import PreparedPairs
from genlab.engine.experiment import Experiment
from genlab.engine.runtime import choose_device, set_threads
from genlab.engine.seeding import derived_seed, initialize
from genlab.errors import Fault
from genlab.interfaces.dataset import Dataset, Pairs
from genlab.interfaces.method import Method, WeightedLoss
from genlab.interfaces.network import Discriminator, Generator, Network
from genlab.recipe.diagnostics import at_their_places
from genlab.recipe.document import Document
from genlab.tables import Keys


class OpenData(NamedTuple):
    """The data of a run: which source it came to, why, and its pairs."""

    spec: Spec
    reason: str | None
    training: Pairs
    validation: Pairs


class Built(NamedTuple):
    """An experiment and the recipe as it was settled on this machine."""

    recipe: Recipe
    experiment: Experiment
    data: OpenData


def build(recipe: Recipe, document: Document) -> Built:
    """Make everything that a training needs; `document` is for the places of faults.

    Raises:
        RecipeError: settings that do not go together, or a size that a network cannot take.
        DataError: the data cannot be had, or are not what they should be.
        DeviceError: the device asked for is not there.
    """
    device = choose_device(recipe.settings.train.device)
    threads = set_threads(recipe.settings.train.threads)
    data = open_data(recipe.data)
    recipe = recipe.settled(data.spec, device.type, threads)
    settings = recipe.settings
    training = PreparedPairs(data.training, settings.input, load_size(settings.input))
    validation = PreparedPairs(data.validation, settings.input, settings.input.height_width)
    unaugmented = PreparedPairs(data.training, settings.input, settings.input.height_width)
    networks = build_networks(recipe, training.channels, document)
    for network in networks.values():
        network.to(device)
    experiment = Experiment(
        settings=settings,
        method=build_method(recipe, networks, document),
        networks=networks,
        training=training,
        validation=validation,
        unaugmented=unaugmented,
        metrics={
            label: _built(spec, ("evaluate", "metrics", label), document) for label, spec in recipe.metrics.items()
        },
        listeners=[(label, _built(spec, ("listeners", label), document)) for label, spec in recipe.listeners.items()],
        device=device,
    )
    return Built(recipe, experiment, data)


def open_data(spec: Spec) -> OpenData:
    """Choose the source, if there is a choice, and open both splits."""
    parts = spec.build_parts()
    dataset: Dataset = parts[-1].instance
    choice = dataset.choose()
    chosen = next((part.spec for part in parts if part.instance is choice.dataset), spec)
    return OpenData(chosen, choice.reason, choice.dataset.open("train"), choice.dataset.open("validation"))


def pair_channels(recipe: Recipe) -> tuple[int, int]:
    """The channels of condition and target in a recipe's data."""
    return PreparedPairs(open_data(recipe.data).training, recipe.settings.input, None).channels


def build_networks(recipe: Recipe, channels: tuple[int, int], document: Document) -> dict[str, Network]:
    """The recipe's networks on the CPU, with their first weights, checked to take the recipe's size."""
    condition, image = channels
    supplied = {
        "generator": {"in_channels": condition, "out_channels": image},
        "discriminator": {"condition_channels": condition, "image_channels": image},
    }
    networks: dict[str, Network] = {}
    faults: list[Fault] = []
    for role, spec in recipe.networks.items():
        # Whatever a constructor draws is seeded too.
        torch.manual_seed(derived_seed(recipe.settings.seed, role))
        try:
            networks[role] = spec.build(**supplied[role])
        except ValueError as error:
            faults.append(Fault((role,), f"{spec.component}: {error}"))
    faults += _size_faults(networks, recipe)
    if faults:
        raise at_their_places(faults, document)
    for role, network in networks.items():
        initialize(network, recipe.settings.seed, role)
    torch.manual_seed(derived_seed(recipe.settings.seed, "training"))
    return networks


def _size_faults(networks: Mapping[str, Network], recipe: Recipe) -> list[Fault]:
    """What is wrong with the recipe's size for these networks."""
    size = recipe.settings.input.height_width
    given = size[0] if size[0] == size[1] else f"{size[0]} x {size[1]}"
    faults: list[Fault] = []
    generator, discriminator = networks.get("generator"), networks.get("discriminator")
    if isinstance(generator, Generator) and any(side % generator.size_multiple for side in size):
        multiple = generator.size_multiple
        near = sorted({max(multiple, side // multiple * multiple + extra) for side in size for extra in (0, multiple)})
        what = f"{recipe.networks['generator'].component} takes multiples of {multiple}, not {given}"
        faults.append(Fault(("input", "size"), what, f"Near it: {', '.join(map(str, near))}."))
    if isinstance(discriminator, Discriminator) and min(size) < discriminator.least_size:
        what = f"{recipe.networks['discriminator'].component} needs at least {discriminator.least_size}, not {given}"
        faults.append(Fault(("input", "size"), what, "A smaller discriminator.receptive_field needs less."))
    return faults


def build_method(recipe: Recipe, networks: Mapping[str, Network], document: Document) -> Method:
    """The method, with its networks and losses in place."""
    losses = {
        label: WeightedLoss(_built(spec, ("losses", label), document), recipe.weights[label])
        for label, spec in recipe.losses.items()
    }
    return _built(recipe.method, ("method",), document, networks=networks, losses=losses)


def _built(spec: Spec, keys: Keys, document: Document, **supplied: Any) -> Any:
    try:
        return spec.build(**supplied)
    except ValueError as error:
        raise at_their_places([Fault(keys, f"{spec.component}: {error}")], document) from error
