"""Checks of constructed components against their interfaces, beyond what their classes show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from torch import nn
from torch.nn.parameter import UninitializedParameter

from genlab.errors import PluginError
from genlab.interfaces.dataset import Choice, Dataset, Pairs, Split, TrainingSplit
from genlab.interfaces.method import Method, Phase
from genlab.interfaces.network import Discriminator, Generator, Level, Network
from genlab.registry.components import Component
from genlab.registry.contract import renamed_attributes

_PIXELS: Mapping[type[Network], tuple[str, ...]] = {
    Generator: ("size_multiple", "scale"),
    Discriminator: ("receptive_field", "min_size"),
}


def broken(component: Component, what: str) -> PluginError:
    """The error for a component that breaks its contract."""
    return PluginError(f"{component} of {component.plugin} breaks the contract: {what}")


def check_network(network: Network, component: Component) -> None:
    """Check that a network has something to train and describes itself consistently."""
    # PyTorch refuses weights of such names itself.
    if hidden := [name for name, _ in network.named_children() if hasattr(type(network), name)]:
        what = f"its module `{hidden[0]}` has the name of an attribute of its class, which hides it"
        raise broken(component, f"{what}; rename it")
    if next(network.parameters(), None) is None:
        raise broken(component, "it has no parameters, so there is nothing to train")
    if lazy := [name for name, weight in network.named_parameters() if isinstance(weight, UninitializedParameter)]:
        raise broken(component, f"`{lazy[0]}` is a lazy parameter; give its shape in the constructor")
    for kind, names in _PIXELS.items():
        for name in names if isinstance(network, kind) else ():
            _check_pixels(network, name, component)
    _check_levels(_listed(network.levels(), "levels", component), component)


def _listed(value: object, name: str, component: Component) -> Iterable[Any]:
    if not isinstance(value, Iterable):
        raise broken(component, f"its `{name}` returns {_kind_of(value)}; expected a list")
    return cast(Iterable[Any], value)


def _check_pixels(network: Network, name: str, component: Component) -> None:
    if not hasattr(network, name):
        missing = f"it has no `{name}`; set it in the class or in its constructor: self.{name} = ..."
        raise broken(component, renamed_attributes(network, component.kind) or missing)
    value: object = getattr(network, name)
    if not isinstance(value, int) or value < 1:
        raise broken(component, f"its `{name}` is {value!r}; expected an integer of at least 1")


def _check_levels(levels: Iterable[Any], component: Component) -> None:
    names: set[str] = set()
    for level in levels:
        if not (isinstance(level, Level) and isinstance(cast(object, level.module), nn.Module)):
            raise broken(component, f"its `levels` contain {level!r:.60}; expected a genlab.Level of a module")
        if level.name in names:
            raise broken(component, f"duplicate level `{level.name}`")
        names.add(level.name)


def check_phases(method: Method, networks: Mapping[str, Network], component: Component) -> None:
    """Check that a method's phases are `Phase`s, and update existing networks."""
    if not (hasattr(method, "networks") and hasattr(method, "losses")):
        raise broken(component, "its constructor does not call super().__init__(networks, losses)")
    updated: set[str] = set()
    names: set[str] = set()
    for phase in _listed(method.phases(), "phases", component):
        if not isinstance(phase, Phase):
            raise broken(component, f"its `phases` contain {phase!r:.60}; expected a genlab.Phase")
        if unknown := [role for role in phase.updates if role not in networks]:
            what = f"its phase `{phase.name}` updates `{unknown[0]}`; the networks are {', '.join(networks)}"
            raise broken(component, f"{what}. Without a loss that needs a discriminator there is none")
        if fixed := [role for role in phase.updates if not method.roles[role].trained]:
            what = f"its phase `{phase.name}` updates `{fixed[0]}`, whose role says trained=False"
            raise broken(component, f"{what}; change it in `updated`")
        updated |= {*phase.updates}
        if phase.name in names:
            raise broken(component, f"two of its phases are called `{phase.name}`")
        names.add(phase.name)
    if left := [role for role in networks if method.roles[role].trained and role not in updated]:
        what = f"none of its phases updates `{left[0]}`, which would stay as it is"
        raise broken(component, f"{what}; its role can say trained=False")


def check_choice(choice: object, component: Component) -> Choice:
    """Check that a dataset chose a `Choice`."""
    if not isinstance(choice, Choice):
        raise broken(component, f"its `choose` returns {_kind_of(choice)}; expected a genlab.Choice")
    return choice


def check_splits(dataset: Dataset, component: Component) -> tuple[Split, ...]:
    """Check which splits a dataset says that it can open."""
    names = [*_listed(dataset.available_splits(), "available_splits", component)]
    if len({*names}) < len(names) or not {*get_args(TrainingSplit)} <= {*names} <= {*get_args(Split)}:
        expected = '"train", "validation", and perhaps "test"'
        raise broken(component, f"its `available_splits` returns {names!r:.60}; expected {expected}")
    return tuple(split for split in get_args(Split) if split in names)


def open_split(dataset: Dataset, split: Split, component: Component) -> Pairs:
    """Open a split, and check that it gives `Pairs`."""
    pairs = cast(object, dataset.open(split))
    if not isinstance(pairs, Pairs):
        raise broken(component, f'its `open("{split}")` returns {_kind_of(pairs)}; expected genlab.Pairs')
    if not all(hasattr(pairs, name) for name in ("a", "b")) or not isinstance(getattr(pairs, "description", None), str):
        what = f"the constructor of {type(pairs).__name__} does not call super().__init__(a, b, description)"
        raise broken(component, what)
    return pairs


def _kind_of(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
