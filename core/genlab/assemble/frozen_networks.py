"""Networks of a recipe that are frozen, as a whole or in part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.validate import nearest
from genlab.engine.freezing import freeze, frozen_levels, is_frozen
from genlab.errors import Fault
from genlab.interfaces.method import Method
from genlab.interfaces.network import Network


def freeze_networks(recipe: Recipe, networks: Mapping[str, Network], document: Document) -> None:
    """Freeze what the recipe says; `RecipeError` for unknown levels."""
    faults = [fault for role in recipe.init for fault in _level_faults(recipe, role, networks[role])]
    if faults:
        raise recipe_error(faults, document)
    by_image = recipe.settings.inference.normalization == "image"
    for role, init in recipe.init.items():
        for module in frozen_levels(networks[role], init.freeze):
            freeze(module, by_image=by_image)


def check_frozen(recipe: Recipe, method: Method, document: Document) -> None:
    """Raise a `RecipeError` if a phase of a method would update nothing, as all of its networks are frozen."""
    frozen = {role for role, init in recipe.init.items() if init.freeze and is_frozen(method.networks[role])}
    faults = [
        Fault(
            ("init", phase.updates[0], "freeze"),
            f"all of the {' and '.join(phase.updates)} is frozen, so the phase {phase.name} of"
            f" {recipe.method.component} has nothing to update",
            "Leave some of its levels to be trained.",
        )
        for phase in method.phases()
        if frozen.issuperset(phase.updates)
    ]
    if faults:
        raise recipe_error(faults, document)


def _level_faults(recipe: Recipe, role: str, network: Network) -> Iterator[Fault]:
    named = recipe.init[role].freeze
    names, known = named if isinstance(named, list) else [], [level.name for level in network.levels()]
    for index, name in enumerate(names):
        keys = ("init", role, "freeze", index)
        if name not in known:
            what = f"{recipe.networks[role].component} has no level `{name}`; it has {', '.join(known)}"
            yield Fault(keys, what, nearest(name, known))
        elif name in names[:index]:
            yield Fault(keys, f"`{name}` is named twice", "Name each level once.")
