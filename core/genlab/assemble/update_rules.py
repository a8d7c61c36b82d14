"""Optimizers and schedules of a recipe, built for its trained networks."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from torch.optim import Optimizer

from genlab.assemble.instances import broken
from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.engine.freezing import is_frozen
from genlab.engine.optimizers import WarmedUp
from genlab.errors import RecipeError
from genlab.interfaces.network import Network
from genlab.interfaces.position import Position
from genlab.interfaces.schedule import Schedule
from genlab.registry.components import ComponentConfig


def build_optimizers(recipe: Recipe, networks: Mapping[str, Network], document: Document) -> dict[str, Optimizer]:
    """An optimizer for each trained network that is not frozen, by role.

    Args:
        recipe: with their settings.
        networks: by role, where they are trained.
        document: locates faults in the recipe.

    Raises:
        RecipeError: settings that an optimizer rejects.
        PluginError: an optimizer that keeps no rate.
    """
    with _located(document):
        return {
            role: _optimizer(rule.config, networks[role])
            for role, rule in recipe.optimizers.items()
            if not is_frozen(networks[role])
        }


def _optimizer(config: ComponentConfig, network: Network) -> Optimizer:
    optimizer: Optimizer = config.build(params=network.parameters())
    if any("lr" not in group for group in optimizer.param_groups):
        raise broken(config.component, "it keeps no rate as `lr` in each of its parameter groups")
    return optimizer


def build_schedules(recipe: Recipe, document: Document) -> dict[str, Schedule]:
    """The schedule of each optimizer's rate, with its warm-up, by role; `RecipeError` for settings that one rejects."""
    with _located(document):
        return _schedules(recipe)


def _schedules(recipe: Recipe) -> dict[str, Schedule]:
    return {role: WarmedUp(rule.config.build(), rule.keys.warmup) for role, rule in recipe.schedules.items()}


def rates_at(recipe: Recipe, position: Position) -> dict[str, float]:
    """The learning rates of a step, by role; relative to its own for an optimizer without a `learning_rate`."""
    return {
        role: schedule.factor(position) * recipe.optimizers[role].config.settings.get("learning_rate", 1.0)
        for role, schedule in _schedules(recipe).items()
    }


def clips_of(recipe: Recipe) -> dict[str, float]:
    """The greatest norms of gradients, of the roles that have one."""
    return {role: rule.keys.clip for role, rule in recipe.optimizers.items() if rule.keys.clip < math.inf}


@contextmanager
def _located(document: Document) -> Generator[None, None, None]:
    try:
        yield
    except RecipeError as error:
        raise recipe_error(error.faults, document) from error
