"""Checks of a recipe's average of weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genlab.config.schema import Ema, Inference
from genlab.config.validate import nearest
from genlab.errors import Fault
from genlab.interfaces.role import Role


def average_faults(ema: Ema | None, inference: Inference, roles: Mapping[str, Role]) -> Iterator[Fault]:
    """Faults of an average of weights that is not there, or is of networks that are not trained.

    Args:
        ema: the recipe's table.
        inference: the recipe's table, which says what predicts.
        roles: those of the recipe's networks.
    """
    if ema is None and inference.weights == "ema":
        hint = "Add it with ema.horizon = 10000, in pairs, or drop inference.weights to predict with the trained ones."
        yield Fault(("inference", "weights"), "the recipe has no [ema], so there is no average of weights", hint)
    if ema is None:
        return
    trained = [name for name, role in roles.items() if role.trained]
    for place, name in enumerate(ema.roles):
        if name not in trained:
            what = f"`{name}` is not a network that is trained; those are {', '.join(trained)}"
            yield Fault(("ema", "roles", place), what, nearest(name, trained))
        elif name in ema.roles[:place]:
            yield Fault(("ema", "roles", place), f"`{name}` is named twice", "Name each network once.")
    if inference.weights == "ema" and not predicts_averaged(ema, roles):
        what = f"a prediction uses no average of the {' and the '.join(ema.roles)}"
        yield Fault(("inference", "weights"), what, 'Average a generator, or set inference.weights = "plain".')
    if not ema.roles and not trained_generators(roles):
        hint = f"Name others: ema.roles = {trained}."
        yield Fault(("ema",), "the average is of all generators that are trained, and there is none", hint, at_key=True)


def predicts_averaged(ema: Ema, roles: Mapping[str, Role]) -> bool:
    """True if a network whose weights are averaged takes part in predictions, as all but discriminators do."""
    names = ema.roles or trained_generators(roles)
    return any(roles[name].kind != "discriminator" for name in names if name in roles)


def trained_generators(roles: Mapping[str, Role]) -> tuple[str, ...]:
    """The roles of generators that are trained."""
    return tuple(name for name, role in roles.items() if role.trained and role.kind == "generator")
