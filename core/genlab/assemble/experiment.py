"""Build an experiment from a checked recipe: open data, build and initialize networks, check that they fit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import torch

from genlab.assemble.augmentations import try_augmentations
from genlab.assemble.frozen_networks import check_frozen, freeze_networks
from genlab.assemble.instances import check_phases
from genlab.assemble.masking import require_masks_followed
from genlab.assemble.networks import build_networks
from genlab.assemble.open_data import OpenData, open_data
from genlab.assemble.pair_cache import pair_stores
from genlab.assemble.pairing import require_pairs
from genlab.assemble.recipe import Recipe
from genlab.assemble.starting_weights import StoredWeights, take_weights
from genlab.assemble.update_rules import build_optimizers, build_schedules, clips_of
from genlab.assemble.weights_match import WeightsMatch
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.data.augment import AugmentationStep, augmentation_steps, load_size
from genlab.data.device import CPU
from genlab.data.pair_store import PairStore
from genlab.data.prepared import PreparedPairs
from genlab.data.view import view_pairs
from genlab.engine.experiment import Experiment
from genlab.engine.runtime import choose_device, cpu_threads, place, settle_train
from genlab.engine.seeding import seeded_construction
from genlab.engine.validation import try_metrics
from genlab.errors import DataError, Fault, RecipeError
from genlab.interfaces.dataset import Pairs
from genlab.interfaces.listener import Listener
from genlab.interfaces.loss import AnyLoss
from genlab.interfaces.method import Method, WeightedLoss
from genlab.interfaces.metric import Metric
from genlab.interfaces.network import Network
from genlab.interfaces.role import SIDES
from genlab.registry.components import ComponentConfig, ConstructedPart

_log = logging.getLogger("genlab")


class Built(NamedTuple):
    """An experiment and its recipe, settled for this machine.

    Args:
        recipe: the recipe.
        experiment: what to train.
        data: its data.
        starts: what the networks start with besides what is drawn, by role.
    """

    recipe: Recipe
    experiment: Experiment
    data: OpenData
    starts: Mapping[str, WeightsMatch] = MappingProxyType({})


class Parts(NamedTuple):
    """The components that can be constructed before the data are opened."""

    data: Sequence[ConstructedPart]
    augmentations: Sequence[AugmentationStep]
    losses: Mapping[str, AnyLoss]
    metrics: Mapping[str, Metric]
    listeners: Mapping[str, Listener]


def build(recipe: Recipe, document: Document, weights: Mapping[str, StoredWeights] = MappingProxyType({})) -> Built:
    """Build everything that a training needs; `document` locates faults in the recipe.

    Args:
        recipe: the recipe.
        document: where its values were written.
        weights: what networks start with, by role; a checkpoint that is loaded later has all weights.

    Raises:
        RecipeError: settings that do not go together, or a size that a network cannot take.
        DataError: the data are not available or invalid.
        DeviceError: the device asked for is not there.
        TrainingError: the networks are too large for this machine.
    """
    choose_device(recipe.settings.train.device)  # before fetching data for an unavailable device
    parts = construct(recipe, document)
    data = open_data(parts.data)
    require_pairs(recipe, data, document)
    require_masks_followed(recipe, data, document)
    recipe = settle(recipe, data)
    settings, device = recipe.settings, torch.device(recipe.settings.train.device)
    loaded = load_size(parts.augmentations, settings.input.height_width)
    stores = pair_stores(recipe, data, loaded)
    training = PreparedPairs(
        data.training,
        settings.input,
        loaded,
        recipe.predictions,
        stores=stores.get("training", ()),
        device=device,
    )
    validation = prepare(recipe, data.validation, stores.get("validation", ()), device)
    unaugmented = prepare(recipe, data.training, stores.get("unaugmented", ()), device)
    if validation.channels != training.channels:
        what = f"training pairs have {training.channels} channels, and validation pairs {validation.channels}"
        raise DataError(what, where=data.validation.description)
    with cpu_threads(settings.train.threads):
        try_augmentations(recipe, parts.augmentations, training, document)
    view_pairs(validation, settings.evaluate)  # before anything is trained
    try_metrics(parts.metrics, validation)
    networks = build_networks(recipe, training.channels, document, train_on=device)
    starts = take_weights(recipe, networks, weights, document)
    freeze_networks(recipe, networks, document)
    for module in (*networks.values(), *parts.losses.values()):
        place(module, device)
    experiment = Experiment(
        settings=settings,
        method=build_method(recipe, networks, parts.losses, training.channels, document),
        optimizers=build_optimizers(recipe, networks, document),
        schedules=build_schedules(recipe, document),
        training=training,
        augmentations=parts.augmentations,
        validation=validation,
        unaugmented=unaugmented,
        metrics=parts.metrics,
        listeners=list(parts.listeners.items()),
        device=device,
        clips=clips_of(recipe),
        names={role: f"{config.component} of {config.component.plugin}" for role, config in recipe.networks.items()},
    )
    return Built(recipe, experiment, data, starts)


def construct(recipe: Recipe, document: Document) -> Parts:
    """Construct the components that need no data; `RecipeError` lists all that reject their settings."""
    faults: list[Fault] = []

    def parts(config: ComponentConfig, label: str) -> list[ConstructedPart]:
        try:
            with seeded_construction(recipe.settings.seed, label):
                return config.build_parts()
        except RecipeError as error:
            faults.extend(error.faults)
            return []

    data = parts(recipe.data, "data")
    found = [
        {label: parts(config, label) for label, config in table.items()}
        for table in (recipe.losses, recipe.metrics, recipe.listeners, recipe.augmentations)
    ]
    if faults:
        raise recipe_error(faults, document)
    losses, metrics, listeners, augmentations = (
        {label: made[-1].instance for label, made in table.items()} for table in found
    )
    try:
        steps = augmentation_steps(augmentations, recipe.settings.input.height_width)
    except RecipeError as error:
        raise recipe_error(error.faults, document) from error
    return Parts(data, steps, losses, metrics, listeners)


def construct_losses(recipe: Recipe, document: Document) -> dict[str, AnyLoss]:
    """Build only the losses, which a trained method needs."""
    return dict(construct(replace(recipe, metrics={}, listeners={}), document).losses)


def settle(recipe: Recipe, data: OpenData) -> Recipe:
    """Settle a recipe for this machine: data source, device, precision; `DeviceError` if its device is missing."""
    return with_ranges(recipe, data).settled(data.config, settle_train(recipe.settings.train))


def with_ranges(recipe: Recipe, data: OpenData) -> Recipe:
    """The recipe with the ranges that are measured on its training pairs."""
    settings = recipe.settings
    return replace(recipe, settings=replace(settings, input=data.ranged(settings.input)))


def prepare(
    recipe: Recipe, pairs: Pairs, stores: Sequence[PairStore] = (), device: torch.device = CPU
) -> PreparedPairs:
    """Prepare pairs as the networks see them, before data augmentation.

    Args:
        recipe: with its ranges, as `with_ranges` gives it.
        pairs: the pairs of a split.
        stores: this machine's cache of decoded pairs, as `pair_stores` gives it.
        device: where they are to be.
    """
    settings = recipe.settings.input
    return PreparedPairs(pairs, settings, settings.height_width, recipe.predictions, stores=stores, device=device)


def build_method(
    recipe: Recipe,
    networks: Mapping[str, Network],
    losses: Mapping[str, AnyLoss],
    channels: tuple[int, int],
    document: Document,
) -> Method:
    """The method, with its networks and losses in place; `channels` are those of condition and target."""
    offered = {"channels": dict(zip(SIDES, channels, strict=True))}
    wanted = {name: value for name, value in offered.items() if name in recipe.method.component.contract.supplied}
    weighted = {label: WeightedLoss(loss, recipe.weights[label]) for label, loss in losses.items()}
    try:
        with seeded_construction(recipe.settings.seed, "method"):
            method: Method = recipe.method.build(networks=networks, losses=weighted, **wanted)
    except RecipeError as error:
        raise recipe_error(error.faults, document) from error
    check_phases(method, networks, recipe.method.component)
    check_frozen(recipe, method, document)
    return method
