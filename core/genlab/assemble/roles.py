"""Checks of networks in their roles."""

from __future__ import annotations

from collections.abc import Iterator

from genlab.assemble.recipe import Recipe
from genlab.errors import Fault
from genlab.interfaces.network import Discriminator, Generator, Network


def role_faults(network: Network, name: str, recipe: Recipe) -> Iterator[Fault]:
    """Faults of a network in its role, and of the recipe's size for it."""
    component, role = recipe.networks[name].component, recipe.roles[name]
    height, width = recipe.settings.input.height_width
    if isinstance(network, Generator):
        if missing := [name for name in role.inputs if name not in network.inputs]:
            what = f"{component} takes no {missing[0]}, which {recipe.method.component} gives its {name}"
            yield Fault(("networks", name), what, f"Does it have a setting for it, such as {missing[0]} = true?")
        if unasked := [name for name in network.inputs if name not in role.inputs]:
            what = f"{component} takes a {unasked[0]}, which {recipe.method.component} does not give its {name}"
            yield Fault(("networks", name), what)
        if any(side % network.size_multiple for side in (height, width)):
            yield _multiple_fault(network.size_multiple, str(component), (height, width))
    if isinstance(network, Discriminator) and min(height, width) < network.min_size:
        what = f"{component} needs at least {network.min_size}, got {_size(height, width)}"
        hint = "A discriminator with a smaller receptive field takes smaller images."
        yield Fault(("input", "size"), what, hint)


def _multiple_fault(multiple: int, component: str, size: tuple[int, int]) -> Fault:
    near = sorted({max(multiple, side // multiple * multiple + extra) for side in size for extra in (0, multiple)})
    what = f"{component} takes multiples of {multiple}, got {_size(*size)}"
    hint = f"Nearest: {', '.join(map(str, near))}. A generator with fewer levels takes other sizes."
    return Fault(("input", "size"), what, hint)


def _size(height: int, width: int) -> str:
    return str(height) if height == width else f"{height} x {width}"
