"""Files and runs that the components of a recipe load, such as pretrained weights, with their fingerprints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel
from torch import nn

from genlab.assemble.instances import broken
from genlab.assemble.recipe import Recipe
from genlab.config.validate import Keys, dotted
from genlab.interfaces.loss import AnyLoss
from genlab.interfaces.method import Method
from genlab.interfaces.metric import Metric
from genlab.interfaces.network import Network
from genlab.registry.components import Component, ComponentConfig, ConstructedPart
from genlab.runs.path_fingerprint import path_fingerprint


class LoadedContent(NamedTuple):
    """Something that a component loads.

    Args:
        key: the component's, or that of its setting, such as `losses.perceptual.weights`.
        fingerprint: hash of the content.
        description: what it is, for errors.
    """

    key: str
    fingerprint: str
    description: str


def parts_of(recipe: Recipe, method: Method, metrics: Mapping[str, Metric]) -> list[ConstructedPart]:
    """A method, its networks and losses, and metrics by their labels, each with its config in the recipe.

    Of augmentations, only the paths among their settings matter.
    """
    losses = {label: weighted.loss for label, weighted in method.losses.items()}
    tables = ((method.networks, recipe.networks), (losses, recipe.losses), (metrics, recipe.metrics))
    return [
        ConstructedPart(method, recipe.method),
        *(
            ConstructedPart(instance, configs[name])
            for instances, configs in tables
            for name, instance in instances.items()
            if name in configs
        ),
        *(ConstructedPart(None, config) for config in recipe.augmentations.values()),
    ]


def find_loaded(parts: Iterable[ConstructedPart]) -> list[LoadedContent]:
    """Find what components load, and read all of it: the paths among their settings, and what they fingerprint.

    Components among their settings are included, as are networks and losses among their modules.

    Raises:
        DataError: it cannot be read.
        RunError: a path is that of a run without trained networks.
    """
    return [item for part in parts for item in (*_own(part), *_at_paths(part.config))]


def _own(part: ConstructedPart) -> Iterator[LoadedContent]:
    """Fingerprints that components give by themselves."""
    instance, config = part
    modules = instance.named_modules() if isinstance(instance, nn.Module) else [("", instance)]
    for name, component in modules:
        if not isinstance(component, Network | AnyLoss | Method | Metric):
            continue
        fingerprint = _text_or_none(component.fingerprint(), config.component)
        if fingerprint is not None:
            key = ".".join([*map(str, config.at), name]).removesuffix(".")
            yield LoadedContent(key, fingerprint, _description(component, config))


def _text_or_none(fingerprint: object, component: Component) -> str | None:
    if fingerprint is None or isinstance(fingerprint, str):
        return fingerprint
    raise broken(component, f"its `fingerprint` returns {fingerprint!r:.60}; expected text or None")


def _description(component: object, config: ComponentConfig) -> str:
    if isinstance(component, Metric) and (description := component.description()):
        return f"the metric {config.at[-1]} ({description})"
    return f"what {config.component} loads"


def _at_paths(config: ComponentConfig) -> Iterator[LoadedContent]:
    """Content at the paths among the settings of a component and of those in it."""
    for inner in (config, *config.nested()):
        for keys, path in _paths(inner.settings, inner.at):
            key = dotted(keys)
            yield LoadedContent(key, path_fingerprint(path), f"{key} ({path})")


def _paths(value: Any, at: Keys) -> Iterator[tuple[Keys, Path]]:
    if isinstance(value, Path):
        yield at, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(inner, (*at, str(key)))
    elif isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, ComponentConfig)):
        yield from _paths(vars(value), at)
    elif isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        for index, inner in enumerate(items):
            yield from _paths(inner, (*at, index))
