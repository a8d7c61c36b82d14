"""Channels of a role's network, as its method says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlab.errors import PluginError
from genlab.interfaces.network import Network
from genlab.interfaces.role import Role


def supplied_channels(role: Role, sides: Mapping[str, int], networks: Mapping[str, Network]) -> dict[str, Any]:
    """The channels that the constructor of a role's network is given.

    Args:
        role: the role.
        sides: channels of condition and target.
        networks: those of earlier roles, whose features a network may read.

    Raises:
        PluginError: the role reads what there is not.
    """
    read = [_channels(thing, sides, networks) for thing in role.reads]
    match role.kind:
        case "generator":
            assert role.gives is not None, "a role of this kind says what it gives"
            gives = _channels(role.gives, sides, {})
            return {"in_channels": sum(map(sum, read)), "out_channels": sum(gives)}
        case "discriminator":
            return {"condition_channels": sum(map(sum, read[:-1])), "image_channels": sum(read[-1])}
        case "network":
            return {"in_channels": tuple(number for numbers in read for number in numbers)}


def _channels(thing: str | int, sides: Mapping[str, int], networks: Mapping[str, Network]) -> tuple[int, ...]:
    if isinstance(thing, int):
        return (thing,)
    if thing in sides:
        return (sides[thing],)
    if thing not in networks:
        what = f"a role reads `{thing}`; expected {', '.join(sides)}, a number of channels, or an earlier role"
        raise PluginError(what)
    return tuple(networks[thing].feature_channels)
