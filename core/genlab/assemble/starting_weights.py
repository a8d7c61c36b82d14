"""Weights that networks start with, matched by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd  # pyright: ignore[reportPrivateUsage]

from genlab.assemble.recipe import Recipe
from genlab.assemble.weights_match import WeightsMatch
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.engine.divergence import is_finite
from genlab.errors import Fault
from genlab.interfaces.network import Network

_EXAMPLES = 3
_KEPT = 1000
"""How many names of weights that a network does not have are kept; a file may have any number."""


@dataclass(frozen=True)
class StoredWeights:
    """Weights and buffers of one network, as a run or a file has them.

    Args:
        source: where they are from, for people.
        tensors: by name.
        fingerprint: SHA-256 of the file.
    """

    source: str
    tensors: Mapping[str, Tensor]
    fingerprint: str


def match_weights(
    recipe: Recipe, networks: Mapping[str, Network], weights: Mapping[str, StoredWeights], document: Document
) -> dict[str, WeightsMatch]:
    """Compare networks with what they are to start with, by role; their values are not needed.

    Raises:
        RecipeError: none of the weights fits, or one has no values.
    """
    found: dict[str, WeightsMatch] = {}
    faults: list[Fault] = []
    for role, stored in weights.items():
        found[role] = _match(networks[role], stored, widens=len(recipe.roles[role].reads) == 1)
        taken = {*found[role].matched, *found[role].widened}
        if empty := _empty_weight(networks[role], stored):
            what = f"the weights of {stored.source} cannot be used: {empty} has no values"
            faults.append(Fault(_keys(role), f"{what} ({_form(stored.tensors[empty])})"))
        elif taken.isdisjoint(name for name, _ in networks[role].named_parameters()):
            faults.append(_misfit(role, networks[role], stored, recipe))
    if faults:
        raise recipe_error(faults, document)
    return found


def take_weights(
    recipe: Recipe, networks: Mapping[str, Network], weights: Mapping[str, StoredWeights], document: Document
) -> dict[str, WeightsMatch]:
    """Let networks start with stored weights, where these match, and with them the untrained ones that are like them.

    The first convolution of a network that reads one thing takes weights of fewer input channels: its further channels
    start with zeros, so that they change nothing at first. Nothing else is guessed.

    Raises:
        RecipeError: none of the weights fits, one has no values, or one is not finite.
    """
    found = match_weights(recipe, networks, weights, document)
    faults = [fault for role in weights for fault in _values_faults(role, networks[role], weights[role], found[role])]
    if faults:
        raise recipe_error(faults, document)
    for role, stored in weights.items():
        _take(networks[role], stored.tensors, found[role])
    started = set(weights)
    for name, role in recipe.roles.items():
        if not role.trained and role.like in started and name not in started:
            networks[name].load_state_dict(networks[role.like].state_dict())
            started.add(name)
    return found


def _match(network: Network, stored: StoredWeights, *, widens: bool) -> WeightsMatch:
    own: Mapping[str, Tensor] = network.state_dict()
    shared = {name: (tensor, stored.tensors[name]) for name, tensor in own.items() if name in stored.tensors}
    matched = [name for name, pair in shared.items() if _has_type_of(*pair) and pair[0].shape == pair[1].shape]
    first = _first_convolution(network) if widens else None
    widened = [name for name, pair in shared.items() if name == first and _has_type_of(*pair) and _has_more(*pair)]
    others = [name for name in shared if name not in {*matched, *widened}]
    return WeightsMatch(
        stored.source,
        tuple(matched),
        tuple(widened),
        tuple(f"{name}: {_form(shared[name][1])} there, {_form(shared[name][0])} here" for name in others),
        tuple(name for name in own if name not in shared),
        tuple(islice((name for name in stored.tensors if name not in own), _KEPT)),
    )


def _empty_weight(network: Network, stored: StoredWeights) -> str | None:
    """Name of a stored weight without values, such as one for no input channels, that the network has with some."""
    names = (name for name, tensor in network.state_dict().items() if tensor.numel() and name in stored.tensors)
    return next((name for name in names if not stored.tensors[name].numel()), None)


def _has_type_of(own: Tensor, stored: Tensor) -> bool:
    """True if values can be taken: numbers with a fraction in any precision, and others in their own type."""
    return own.dtype == stored.dtype or (own.is_floating_point() and stored.is_floating_point())


def _has_more(own: Tensor, stored: Tensor) -> bool:
    """True if a convolution has more input channels than a stored one, and is like it otherwise."""
    return (
        own.ndim == stored.ndim
        and own.shape[1] > stored.shape[1]
        and (own.shape[0], *own.shape[2:]) == (stored.shape[0], *stored.shape[2:])
    )


def _first_convolution(network: nn.Module) -> str | None:
    """Name of the weight of a network's first convolution, if that has one input for all of its channels."""
    found = ((name, module) for name, module in network.named_modules() if isinstance(module, _ConvNd))
    name, module = next(found, ("", None))
    return f"{name}.weight" if module is not None and module.groups == 1 and not module.transposed else None


def _take(network: Network, stored: Mapping[str, Tensor], match: WeightsMatch) -> None:
    own: Mapping[str, Tensor] = network.state_dict()
    with torch.no_grad():
        for name in match.matched:
            own[name].copy_(stored[name])
        for name in match.widened:
            own[name].zero_()[:, : stored[name].shape[1]].copy_(stored[name])


def _values_faults(role: str, network: Network, stored: StoredWeights, match: WeightsMatch) -> list[Fault]:
    """Faults of values that are not finite, unless they are constants of the network, such as a mask."""
    own: Mapping[str, Tensor] = network.state_dict()
    wrong = [
        name
        for name in (*match.matched, *match.widened)
        if not is_finite(taken := stored.tensors[name].to(own[name].dtype)) and not taken.equal(own[name])
    ]
    if not wrong:
        return []
    more = f" and {len(wrong) - 1:,} more are" if len(wrong) > 1 else " is"
    what = f"the weights of {stored.source} cannot be used: {wrong[0]}{more} not finite"
    return [Fault(_keys(role), what, "Start with weights from before the training diverged.")]


def _misfit(role: str, network: Network, stored: StoredWeights, recipe: Recipe) -> Fault:
    what = f"no weight of {stored.source} has the name and the shape of one of {recipe.networks[role].component}"
    weights = dict(network.named_parameters())
    hint = f"There: {_listed(stored.tensors)}. Here: {_listed(weights)}."
    return Fault(_keys(role), f"{what} as {role}", hint)


def _keys(role: str) -> tuple[str, str, str]:
    return ("init", role, "from")


def _listed(tensors: Mapping[str, Tensor]) -> str:
    names = [f"{name} ({_form(tensor)})" for name, tensor in islice(tensors.items(), _EXAMPLES)]
    return f"{', '.join(names) or 'nothing'}{' and more' if len(tensors) > _EXAMPLES else ''}"


def _form(tensor: Tensor) -> str:
    """Shape of a tensor in words, with its type where that is not a usual one of weights."""
    shape = " x ".join(map(str, tensor.shape)) or "one value"
    return shape if tensor.is_floating_point() else f"{shape} of {str(tensor.dtype).removeprefix('torch.')}"
