"""Freezing: parts of networks that a training leaves as they are."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from genlab.interfaces.method import Method, Phase
from genlab.interfaces.network import Network


def freeze(module: nn.Module, *, by_image: bool) -> None:
    """Freeze a module: its weights and its statistics stay, and it computes as in predictions, but for dropout.

    Args:
        module: a network, or one of its levels.
        by_image: whether predictions normalize by each image's own statistics, which its batch norms then do in
            training, too, instead of using the running ones.
    """
    module.requires_grad_(False)
    for inner in module.modules():
        if by_image and isinstance(inner, _BatchNorm):
            inner.track_running_stats = False  # in training mode, such a layer reads no statistics and changes none
        elif not isinstance(inner, _DropoutNd):
            inner.training = False


def is_frozen(network: nn.Module) -> bool:
    """True if none of a network's weights is trained."""
    return not any(parameter.requires_grad for parameter in network.parameters())


def updated_roles(method: Method, phase: Phase) -> tuple[str, ...]:
    """The roles whose networks a phase changes: those that it updates and that are not frozen."""
    return tuple(role for role in phase.updates if not is_frozen(method.networks[role]))


def frozen_levels(network: Network, names: bool | list[str]) -> list[nn.Module]:
    """The modules that a recipe's `freeze` names: the network, or some of its levels; `KeyError` for an unknown one."""
    if isinstance(names, bool):
        return [network] if names else []
    levels = {level.name: level.module for level in network.levels()}
    return [levels[name] for name in names]
