"""State of an optimizer as tensors by name, for checkpoints.

`quantity/parameter` is a tensor of a parameter's state, of any shape; `quantity:float/parameter` one of Python's
numbers. What an optimizer keeps in its parameter groups is `quantity:group/0`, or `quantity:group:float/0`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genlab.errors import TrainingError

_NUMBERS: dict[type, torch.dtype] = {bool: torch.bool, int: torch.int64, float: torch.float64}
_TYPES = {kind.__name__: kind for kind in _NUMBERS}
_GROUP = "group"
_OF_THE_RECIPE = ("params", "param_names", "lr", "initial_lr")


def state_tensors(optimizer: Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """An optimizer's state by name; `TrainingError` for a parameter's that is neither a tensor nor a number."""
    return dict(_named(optimizer, network))


def _named(optimizer: Optimizer, network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    names: dict[Tensor, str] = {parameter: name for name, parameter in network.named_parameters()}
    for parameter, quantities in optimizer.state.items():
        if parameter not in names:
            raise _refusal(optimizer, f"it keeps a state by {parameter!r:.60}, and not by a parameter")
        for quantity, value in quantities.items():
            if not isinstance(quantity, str) or {*quantity} & {"/", ":"}:
                raise _refusal(optimizer, f"it keeps a `{quantity}`; expected a name without slash and colon")
            if not _can_be_saved(value):
                given = type(value).__name__
                raise _refusal(optimizer, f"its `{quantity}` is a {given}; expected a tensor or a number")
            yield _as_tensor(quantity, value, names[parameter])
    for place, group in enumerate(optimizer.param_groups):
        for quantity, value in group.items():
            if quantity not in _OF_THE_RECIPE and _is_state(value, optimizer.defaults.get(quantity)):
                yield _as_tensor(f"{quantity}:{_GROUP}", value, str(place))


def _can_be_saved(value: object) -> bool:
    return isinstance(value, Tensor) or type(value) in _NUMBERS


def _is_state(value: object, default: object) -> bool:
    """True for a part of a parameter group that is none of the settings that the optimizer was made with."""
    return isinstance(value, Tensor) or (type(value) in _NUMBERS and value != default)


def _as_tensor(quantity: str, value: Any, of: str) -> tuple[str, Tensor]:
    if isinstance(value, Tensor):
        return f"{quantity}/{of}", value
    return f"{quantity}:{type(value).__name__}/{of}", torch.tensor(value, dtype=_NUMBERS[type(value)])


def _refusal(optimizer: Optimizer, what: str) -> TrainingError:
    return TrainingError(
        f"the state of the optimizer {type(optimizer).__name__} cannot be saved: {what}",
        hint="Choose another optimizer; its author finds this with `gen plugins check`.",
    )


class _Entry(NamedTuple):
    """A part of the state: its quantity, what it is of, and whether that is a parameter group."""

    quantity: str
    of: str
    is_of_group: bool
    value: Any

    @classmethod
    def parse(cls, key: str, tensor: Tensor) -> _Entry:
        path, _, of = key.partition("/")
        quantity, *marks = path.split(":")
        kind = _TYPES.get(marks[-1]) if marks else None
        return cls(quantity, of, _GROUP in marks, kind(tensor.item()) if kind else tensor)


def load_state_tensors(optimizer: Optimizer, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Restore what `state_tensors` gave.

    Raises:
        KeyError, RuntimeError: it is of another network or optimizer.
    """
    entries = [_Entry.parse(key, tensor) for key, tensor in tensors.items()]
    groups = dict(enumerate(optimizer.state_dict()["param_groups"]))
    for entry in entries:
        if entry.is_of_group and entry.quantity not in _OF_THE_RECIPE:
            groups[int(entry.of)][entry.quantity] = entry.value
    is_fused = any(group.get("fused") for group in groups.values())
    parameters = dict(network.named_parameters())
    places = {
        weight: place for place, weight in enumerate(w for group in optimizer.param_groups for w in group["params"])
    }
    state: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if not entry.is_of_group:
            weight = parameters[entry.of]
            value = _laid_out_as(weight, entry.value, is_fused) if isinstance(entry.value, Tensor) else entry.value
            state.setdefault(places[weight], {})[entry.quantity] = value
    optimizer.load_state_dict({"state": state, "param_groups": list(groups.values())})
    _restore_types(optimizer, {weight: state[place] for weight, place in places.items() if place in state})


def _laid_out_as(parameter: Tensor, tensor: Tensor, is_fused: bool) -> Tensor:
    """Copy in a parameter's memory layout, such as channels_last, which fused kernels assume.

    They read as many values as the parameter has, so another shape than its own must not reach them.
    """
    if tensor.shape == ():
        return tensor.clone()  # a memory-mapped file cannot be removed on Windows
    if tensor.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
    if is_fused:
        expected, given = tuple(parameter.shape), tuple(tensor.shape)
        raise RuntimeError(f"expected an optimizer's state of shape {expected}, got {given}")
    return tensor.clone()


def _restore_types(optimizer: Optimizer, state: Mapping[Tensor, Mapping[str, Any]]) -> None:
    """Undo that PyTorch loads every tensor in the type of its parameter: counts and masks, too."""
    for parameter, quantities in state.items():
        loaded = optimizer.state[parameter]
        for quantity, value in quantities.items():
            if isinstance(value, Tensor) and loaded[quantity].dtype != value.dtype:
                loaded[quantity] = value.to(loaded[quantity].device)
