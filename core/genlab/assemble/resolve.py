"""Resolve a document against the available components into a checked recipe; reports all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from genlab.assemble.recipe import Recipe
from genlab.config import schema
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.schema import TABLES
from genlab.config.validate import Keys, bare, describe, dotted, key_hint, shown, validate_table
from genlab.errors import Fault
from genlab.interfaces.kinds import KINDS
from genlab.interfaces.loss import AdversarialLoss
from genlab.registry.components import ComponentConfig, Components

ROLES = ("generator", "discriminator")
_BEFORE_TABLES = ("title", "seed", "data", "input", "method", *ROLES, "losses")
KEYS = (*dict.fromkeys((*_BEFORE_TABLES, *TABLES)), "listeners", "ablation")

LABELED: tuple[Keys, ...] = tuple(kind.table for kind in KINDS.values() if kind.is_labeled)

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
T = TypeVar("T")


def resolve(document: Document, components: Components) -> Recipe:
    """Resolve a document into a recipe; `RecipeError` lists all of its faults."""
    resolver = _Resolver(document.values, components)
    recipe = resolver.recipe()
    if recipe is None:
        raise recipe_error(resolver.faults, document)
    return recipe


class _Resolver:
    def __init__(self, values: Mapping[str, Any], components: Components) -> None:
        self.values = values
        self.components = components
        self.faults: list[Fault] = []

    def recipe(self) -> Recipe | None:
        self.unknown_keys()
        title = self.value(str, ("title",), "")
        seed = self.value(schema.Seed, ("seed",), 0)
        tables = {name: self.framework_table(name) for name in TABLES}
        data = self.component("dataset", ("data",))
        method = self.component("method", ("method",))
        losses, weights = self.losses()
        metrics = self.labeled("metric", ("evaluate", "metrics"))
        for label in metrics:
            if "/" in label:
                what = f"invalid label `{label}`: a slash separates a metric's label from its scores"
                self.fault(("evaluate", "metrics", label), what, at_key=True)
        listeners = self.labeled("listener", ("listeners",))
        networks = self.networks(method, losses)
        self.hold_to_predictions(method, ("losses",), losses)
        self.hold_to_predictions(method, ("evaluate", "metrics"), metrics)
        if self.faults or data is None or method is None:
            return None
        tables["inference"] = tables["inference"].settled(tables["train"].batch_size)
        return Recipe(
            title=title,
            settings=schema.Settings(seed=seed, **tables),
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
            if key == "extends":
                self.fault((key,), "`extends` is only valid in a recipe file", at_key=True)
            elif key not in KEYS:
                what = f"a recipe has no `{key}`; it has {', '.join(KEYS)}"
                self.fault((key,), what, key_hint(key, (*KEYS, "extends")), at_key=True)

    def fault(self, keys: Keys, what: str, hint: str | None = None, at_key: bool = False) -> None:
        self.faults.append(Fault(keys, what, hint, at_key))

    def value(self, kind: Any, keys: Keys, default: T) -> T:
        """Validate one value outside the framework's tables."""
        table: Any = self.values
        for key in keys[:-1]:
            table = table[key]
        if keys[-1] not in table:
            return default
        try:
            return TypeAdapter(kind).validate_python(table[keys[-1]], strict=True)
        except ValidationError:
            self.fault(keys, f"`{keys[-1]}`: expected {describe(kind)}, got {shown(table[keys[-1]])}")
            return default

    def table(self, keys: Keys) -> dict[str, Any] | None:
        """The table at `keys`, empty if missing; None, with its fault recorded, if the value is not a table."""
        value: Any = self.values
        for length, key in enumerate(keys, start=1):
            value = value.get(key, {})
            if not isinstance(value, dict):
                # A parent that is not a table is reported where the parent is read.
                if length == len(keys):
                    what = f"`{dotted(keys)}`: expected a table, got {shown(value)}"
                    self.fault(keys, what, _table_hint(keys, value))
                return None
        return value

    def framework_table(self, name: str) -> Any:
        given = self.table((name,))
        if given is None:
            return None
        also = ("metrics",) if name == "evaluate" else ()
        checked, faults = validate_table(TABLES[name], _without(given, also), (name,), f"[{name}]", also)
        self.faults += faults
        return checked

    def component(self, kind: str, keys: Keys) -> ComponentConfig | None:
        given = self.table(keys)
        return None if given is None else self.specified(kind, given, keys)

    def specified(
        self, kind: str, table: dict[str, Any], keys: Keys, also: tuple[str, ...] = ("name",)
    ) -> ComponentConfig | None:
        config, faults = self.components.configure(kind, table, keys, also)
        self.faults += faults
        return config

    def labeled(self, kind: str, keys: Keys) -> dict[str, ComponentConfig]:
        """Components by the recipe's labels."""
        configs = {label: self.specified(kind, table, (*keys, label)) for label, table in self.labels(keys).items()}
        return {label: config for label, config in configs.items() if config}

    def labels(self, keys: Keys) -> dict[str, dict[str, Any]]:
        """Tables by label; a label is the component's name unless `name` is given.

        A label set to false is removed, so that a recipe can drop what it inherits.
        """
        tables: dict[str, dict[str, Any]] = {}
        for label, value in (self.table(keys) or {}).items():
            table = self.table((*keys, label)) if value is not False else None
            if table is not None:
                tables[label] = {"name": label, **table}
        return tables

    def losses(self) -> tuple[dict[str, ComponentConfig], dict[str, float]]:
        """The losses of a weight above 0, and the weights."""
        tables = self.labels(("losses",))
        weights = {label: self.value(Weight, ("losses", label, "weight"), 1.0) for label in tables}
        configs = {
            label: self.specified("loss", _without(table, ("weight",)), ("losses", label), ("name", "weight"))
            for label, table in tables.items()
            if weights[label] > 0
        }
        return {label: config for label, config in configs.items() if config}, weights

    def networks(
        self, method: ComponentConfig | None, losses: Mapping[str, ComponentConfig]
    ) -> dict[str, ComponentConfig]:
        """The networks that the method uses and a loss needs."""
        adversarial = [label for label, config in losses.items() if issubclass(config.component.cls, AdversarialLoss)]
        used = self.roles(method)
        configs: dict[str, ComponentConfig] = {}
        for role in ROLES:
            given = role in self.values
            wanted = role in used and (role != "discriminator" or adversarial)
            config = self.component(role, (role,)) if given or (wanted and role == "generator") else None
            if wanted and config:
                configs[role] = config
        for label in adversarial:
            self.needs_discriminator(label, used)
        return configs

    def roles(self, method: ComponentConfig | None) -> tuple[str, ...]:
        """The roles of the networks that the method uses."""
        if method is None:
            return ROLES
        used: tuple[str, ...] = method.component.cls.roles
        for role in used:
            if role not in ROLES:
                what = f"{method.component} uses a network `{role}`; a recipe has {' and '.join(ROLES)}"
                self.fault(("method", "name"), what)
        return used

    def hold_to_predictions(
        self, method: ComponentConfig | None, keys: Keys, configs: Mapping[str, ComponentConfig]
    ) -> None:
        """Check that losses and metrics take what the method predicts."""
        if method is None:
            return
        predicting: Any = method.component.cls
        for label, config in configs.items():
            taking: Any = config.component.cls
            if not issubclass(taking, AdversarialLoss) and taking.predictions != predicting.predictions:
                what = f"{config.component} takes {taking.predictions}, and {method.component} predicts"
                hint = f"Remove it with {dotted((*keys, label))} = false."
                self.fault((*keys, label), f"{what} {predicting.predictions}", hint, at_key=True)

    def needs_discriminator(self, label: str, used: tuple[str, ...]) -> None:
        drop = f"or drop the loss with losses.{bare(label)}.weight = 0."
        if "discriminator" not in used:
            what = f"the loss `{label}` needs a discriminator, which the method does not use"
            self.fault(("losses", label), what, f"Choose another method, {drop}", at_key=True)
        elif "discriminator" not in self.values:
            what = f"the loss `{label}` needs a discriminator, and the recipe has none"
            names = ", ".join(self.components.names("discriminator"))
            hint = f"Add a table [discriminator] with a `name` ({names}), {drop}"
            self.fault(("losses", label), what, hint, at_key=True)


def _without(table: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _table_hint(keys: Keys, value: object) -> str | None:
    """Hint at the likely meaning of a value given instead of a component's table."""
    if isinstance(value, str) and keys[0] not in TABLES:
        return f"To name the component: {dotted(keys)}.name = {shown(value)}"
    if isinstance(value, int | float) and keys[:-1] == ("losses",) and value is not True:
        return f"To set its weight: {dotted(keys)}.weight = {shown(value)}"
    if keys[:-1] in LABELED:
        return "Use {} for its defaults, or false to remove it."
    return None
