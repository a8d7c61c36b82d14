"""A document and the components that there are, made into a checked recipe; all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from genlab import settings
from genlab.build.recipe import Recipe
from genlab.components import Components, Spec
from genlab.engine.experiment import Settings
from genlab.errors import Fault
from genlab.interfaces.loss import AdversarialLoss
from genlab.recipe.diagnostics import at_their_places
from genlab.recipe.document import Document
from genlab.tables import Keys, check, describe, nearest, shown

ROLES = ("generator", "discriminator")
TABLES: dict[str, type[settings.Table]] = {
    "input": settings.Input,
    "optimizer": settings.Optimizer,
    "schedule": settings.Schedule,
    "train": settings.Train,
    "inference": settings.Inference,
    "evaluate": settings.Evaluate,
    "checkpoint": settings.Checkpoint,
}
KEYS = ("title", "seed", "data", "input", "method", *ROLES, "losses", *list(TABLES)[1:], "listeners")

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Weight = Annotated[float, Field(ge=0)]
T = TypeVar("T")


def resolve(document: Document, components: Components) -> Recipe:
    """The recipe that a document says; `RecipeError` lists all that is wrong with it."""
    resolver = _Resolver(document.values, components)
    recipe = resolver.recipe()
    if recipe is None or resolver.faults:
        raise at_their_places(resolver.faults, document)
    return recipe


class _Resolver:
    def __init__(self, values: Mapping[str, Any], components: Components) -> None:
        self.values = values
        self.components = components
        self.faults: list[Fault] = []

    def recipe(self) -> Recipe | None:
        self.unknown_keys()
        title = self.value(str, ("title",), "")
        seed = self.value(Seed, ("seed",), 0)
        tables = {name: self.framework_table(name) for name in TABLES}
        data = self.component("dataset", ("data",))
        method = self.component("method", ("method",))
        weights = self.weights()
        losses = self.labelled("loss", ("losses",), skip={label for label, weight in weights.items() if weight == 0})
        metrics = self.labelled("metric", ("evaluate", "metrics"))
        listeners = self.labelled("listener", ("listeners",))
        networks = self.networks(method, losses)
        if self.faults or data is None or method is None:
            return None
        return Recipe(
            title=title,
            settings=Settings(seed=seed, **tables),
            data=data,
            method=method,
            networks=networks,
            losses=losses,
            weights={label: weights[label] for label in losses},
            metrics=metrics,
            listeners=listeners,
        )

    def unknown_keys(self) -> None:
        for key in self.values:
            if key not in KEYS:
                what = f"a recipe has no `{key}`; it has {', '.join(KEYS)}"
                self.faults.append(Fault((key,), what, nearest(key, KEYS), at_key=True))

    def value(self, kind: Any, keys: Keys, default: T) -> T:
        """One value that stands in no framework table."""
        table: Any = self.values
        for key in keys[:-1]:
            table = table[key]
        if keys[-1] not in table:
            return default
        try:
            return TypeAdapter(kind).validate_python(table[keys[-1]], strict=not isinstance(default, float))
        except ValidationError:
            what = f"`{keys[-1]}` takes {describe(kind)}, not {shown(table[keys[-1]])}"
            self.faults.append(Fault(keys, what))
            return default

    def table(self, keys: Keys) -> dict[str, Any]:
        """The table at a place, empty if there is none."""
        value: Any = self.values
        for key in keys:
            value = value.get(key, {})
            if not isinstance(value, dict):
                self.faults.append(Fault(keys, f"`{key}` is a table, not {shown(value)}"))
                return {}
        return value

    def framework_table(self, name: str) -> Any:
        given = dict(self.table((name,)))
        if name == "evaluate":
            given.pop("metrics", None)
        checked, faults = check(TABLES[name], given, (name,), f"[{name}]")
        self.faults += faults
        return checked

    def component(self, kind: str, keys: Keys) -> Spec | None:
        return self.specified(kind, self.table(keys), keys)

    def labelled(self, kind: str, keys: Keys, skip: set[str] = frozenset()) -> dict[str, Spec]:  # pyright: ignore[reportArgumentType]
        """Tables under labels of the recipe's own; a label is the component's name unless `name` is given."""
        specs: dict[str, Spec] = {}
        for label in self.table(keys):
            table = self.table((*keys, label))
            given = {"name": label, **table}
            if kind == "loss":
                given.pop("weight", None)
            spec = None if label in skip else self.specified(kind, given, (*keys, label))
            if spec:
                specs[label] = spec
        return specs

    def specified(self, kind: str, table: dict[str, Any], keys: Keys) -> Spec | None:
        spec, faults = self.components.spec(kind, table, keys)
        self.faults += faults
        return spec

    def weights(self) -> dict[str, float]:
        return {
            label: self.value(Weight, ("losses", label, "weight"), 1.0)
            for label in self.table(("losses",))
            if isinstance(self.values["losses"][label], dict)
        }

    def networks(self, method: Spec | None, losses: Mapping[str, Spec]) -> dict[str, Spec]:
        """The networks that the method uses and a loss needs."""
        adversarial = [label for label, spec in losses.items() if issubclass(spec.component.cls, AdversarialLoss)]
        used: tuple[str, ...] = method.component.cls.roles if method else ROLES
        specs: dict[str, Spec] = {}
        for role in ROLES:
            given = role in self.values
            wanted = role in used and (role != "discriminator" or adversarial)
            spec = self.component(role, (role,)) if given or (wanted and role == "generator") else None
            if wanted and spec:
                specs[role] = spec
        for label in adversarial:
            self.needs_discriminator(label, used)
        return specs

    def needs_discriminator(self, label: str, used: tuple[str, ...]) -> None:
        drop = f"or drop the loss with losses.{label}.weight = 0."
        if "discriminator" not in used:
            what = f"the loss `{label}` needs a discriminator, which the method does not use"
            self.faults.append(Fault(("losses", label), what, f"Choose another method, {drop}", at_key=True))
        elif "discriminator" not in self.values:
            what = f"the loss `{label}` needs a discriminator, and the recipe has none"
            hint = f'Add a table [discriminator], such as name = "patchgan", {drop}'
            self.faults.append(Fault(("losses", label), what, hint, at_key=True))
