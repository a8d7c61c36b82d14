"""What a plugin registers: components by kind and name. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genlab.errors import PluginError


@dataclass(frozen=True)
class Kind:
    """A kind of component.

    Args:
        name: as in `registry.generator`.
        interfaces: where the classes are that a component must derive from, one of them.
        table: the table of a recipe that names it, or that has a table for each label.
        supplied: the constructor's arguments that the framework gives.
        reserved: the keys of its table that are the framework's.
        is_labelled: whether a recipe may have several, each in a table under a label of the recipe's own.
    """

    name: str
    interfaces: tuple[str, ...]
    table: tuple[str, ...]
    supplied: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ("name",)
    is_labelled: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "generator",
            ("genlab.interfaces.network:Generator",),
            ("generator",),
            supplied=("in_channels", "out_channels"),
        ),
        Kind(
            "discriminator",
            ("genlab.interfaces.network:Discriminator",),
            ("discriminator",),
            supplied=("condition_channels", "image_channels"),
        ),
        Kind(
            "loss",
            ("genlab.interfaces.loss:Loss", "genlab.interfaces.loss:AdversarialLoss"),
            ("losses",),
            reserved=("name", "weight"),
            is_labelled=True,
        ),
        Kind("dataset", ("genlab.interfaces.dataset:Dataset",), ("data",)),
        Kind("metric", ("genlab.interfaces.metric:Metric",), ("evaluate", "metrics"), is_labelled=True),
        Kind("method", ("genlab.interfaces.method:Method",), ("method",), supplied=("networks", "losses")),
        Kind("listener", ("genlab.interfaces.listener:Listener",), ("listeners",), is_labelled=True),
    )
}

Target = str | type


@dataclass(frozen=True)
class Registration:
    """One component as a plugin registered it: not imported yet, unless it was given as a class."""

    kind: Kind
    name: str
    target: Target
    preset: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Registry:
    """Takes the components of one plugin.

    Each method takes the name that recipes use, where the class is (`"package.module:Class"`, or the class itself),
    and settings that this name fixes: `registry.generator("encoder_decoder", "...:UNet", skips=False)`.
    """

    def __init__(self) -> None:
        self.registrations: list[Registration] = []

    def generator(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("generator", name, target, preset)

    def discriminator(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("discriminator", name, target, preset)

    def loss(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("loss", name, target, preset)

    def dataset(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("dataset", name, target, preset)

    def metric(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("metric", name, target, preset)

    def method(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("method", name, target, preset)

    def listener(self, name: str, target: Target, /, **preset: Any) -> None:
        self._add("listener", name, target, preset)

    def _add(self, kind: str, name: str, target: Target, preset: Mapping[str, Any]) -> None:
        if not name.isidentifier():
            raise PluginError(f"{kind} name {name!r} is not a word of letters, digits and underscores")
        if any((kind, name) == (other.kind.name, other.name) for other in self.registrations):
            raise PluginError(f"{kind} {name!r} is registered twice")
        if isinstance(target, str) and not all(target.partition(":")):
            raise PluginError(f'{kind} {name!r} is at {target!r}, which is not of the form "package.module:Class"')
        self.registrations.append(Registration(KINDS[kind], name, target, preset))
