"""A complete, validated recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import tomli_w
from pydantic import BaseModel

from genlab.assemble.role_tables import RoleConfig, written
from genlab.config.init_table import Init
from genlab.config.schema import TABLES, OptimizerKeys, ScheduleKeys, Settings, Train
from genlab.interfaces.predictions import Predictions
from genlab.interfaces.role import Role
from genlab.interfaces.weight import Weight
from genlab.registry.components import Component, ComponentConfig

SCORE_SIDES = ("validation", "train", "gap")
"""What a score is measured on: the first part of its full name."""

SHORT_FORMS = ("generator", "discriminator")
"""The roles whose tables stand for themselves, and as defaults for the other roles of these kinds."""


class Score(NamedTuple):
    """One of the scores that a recipe's metrics give.

    Args:
        name: the metric's label, or `label/score`.
        higher_is_better: the better direction.
        target_scores: name of the score that gives this one's value for the targets themselves.
    """

    name: str
    higher_is_better: bool
    target_scores: str | None


@dataclass(frozen=True)
class Recipe:
    """Every value that can change the result, defaults included.

    Args:
        title: one line for people.
        settings: the framework's tables.
        data: the dataset.
        augmentations: by label, in the order in which they are applied.
        method: the method.
        networks: by role, in the order of the method's; without those that nothing uses.
        init: what networks start with, and what of them is frozen, by role.
        losses: by label; without those of weight 0.
        weights: of the losses, by label.
        optimizers: by the role of the network that each updates.
        schedules: of the optimizers' learning rates, by role.
        metrics: by label.
        listeners: by label.
    """

    title: str
    settings: Settings
    data: ComponentConfig
    augmentations: Mapping[str, ComponentConfig]
    method: ComponentConfig
    networks: Mapping[str, ComponentConfig]
    init: Mapping[str, Init]
    losses: Mapping[str, ComponentConfig]
    weights: Mapping[str, Weight]
    optimizers: Mapping[str, RoleConfig[OptimizerKeys]]
    schedules: Mapping[str, RoleConfig[ScheduleKeys]]
    metrics: Mapping[str, ComponentConfig]
    listeners: Mapping[str, ComponentConfig]

    def settled(self, data: ComponentConfig, train: Train) -> Recipe:
        """The recipe with machine-dependent values filled in: the data source, and what `[train]` leaves open."""
        return replace(self, data=data, settings=replace(self.settings, train=train))

    @property
    def predictions(self) -> Predictions:
        """Kind of prediction that the method makes."""
        method: Any = self.method.component.cls
        return method.predictions

    @property
    def roles(self) -> Mapping[str, Role]:
        """Roles of the networks that the recipe has."""
        method: Any = self.method.component.cls
        return {role: method.roles[role] for role in self.networks}

    @property
    def scores(self) -> dict[str, Score]:
        """The metrics' scores by their names: the label, or `label/score` of one that gives several."""
        return metric_scores(self.metrics)

    def components(self) -> Iterator[Component]:
        """All components of the recipe, nested ones included."""
        tables = (self.augmentations, self.networks, self.losses, self.metrics, self.listeners)
        rules = (rule.config for table in (self.optimizers, self.schedules) for rule in table.values())
        for config in (self.data, self.method, *(config for table in tables for config in table.values()), *rules):
            yield config.component
            yield from (inner.component for inner in config.nested())

    def tables(self) -> dict[str, Any]:
        """The recipe as nested tables, in the order of a recipe's file."""
        settings = self.settings
        tables: dict[str, Any] = {"title": self.title, "seed": settings.seed, "data": self.data.table()}
        tables |= {"input": _plain(settings.input)}
        if self.augmentations:
            tables["augment"] = {label: config.table() for label, config in self.augmentations.items()}
        tables["method"] = self.method.table()
        tables |= {role: self.networks[role].table() for role in SHORT_FORMS if role in self.networks}
        if others := {role: config.table() for role, config in self.networks.items() if role not in SHORT_FORMS}:
            tables["networks"] = others
        if self.init:
            tables["init"] = {role: _plain(init) for role, init in self.init.items()}
        tables["losses"] = {
            label: {**config.table(), "weight": _weight(self.weights[label])} for label, config in self.losses.items()
        }
        tables |= {"optimizer": written(self.optimizers), "schedule": written(self.schedules)}
        tables |= {name: _plain(getattr(settings, name)) for name in TABLES if name not in tables}
        tables["evaluate"]["metrics"] = {label: config.table() for label, config in self.metrics.items()}
        tables["listeners"] = {label: config.table() for label, config in self.listeners.items()}
        return without_nothing(tables)

    def toml(self) -> str:
        """The recipe as TOML."""
        return tomli_w.dumps(self.tables())


def metric_scores(metrics: Mapping[str, ComponentConfig]) -> dict[str, Score]:
    """The scores of metrics, which are given by label, by the scores' names."""
    return {score.name: score for label, config in metrics.items() for score in _scores(label, config)}


def score_names(scores: Iterable[str]) -> list[str]:
    """Scores' names with what each is measured on, such as `validation/l1`."""
    return [f"{side}/{name}" for side in SCORE_SIDES for name in sorted(scores)]


def _scores(label: str, metric: ComponentConfig) -> list[Score]:
    cls: Any = metric.component.cls
    if not cls.scores:
        return [Score(label, cls.higher_is_better, None)]
    target_scores = {score: f"{label}/{name}" for score, name in cls.target_scores.items()}
    return [Score(f"{label}/{score}", cls.higher_is_better, target_scores.get(score)) for score in cls.scores]


def _weight(weight: Weight) -> float | dict[str, float]:
    if weight.start is None:
        return weight.to
    return {"from": weight.start, "to": weight.to, "over": weight.over}


def _plain(table: BaseModel | None) -> dict[str, Any] | None:
    return table and table.model_dump(mode="json")


def without_nothing(value: Any) -> Any:
    """Drop keys whose value is None, which TOML cannot express; a missing key means its default."""
    if isinstance(value, dict):
        return {key: without_nothing(inner) for key, inner in value.items() if inner is not None}
    return [without_nothing(inner) for inner in value] if isinstance(value, list) else value
