"""Resolve a document against the available components into a checked recipe; reports all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from genlab.assemble.accumulation import accumulation_faults
from genlab.assemble.averages import average_faults, predicts_averaged, trained_generators
from genlab.assemble.best_checkpoint import best_checkpoint_faults
from genlab.assemble.game import game_faults
from genlab.assemble.init_tables import read_init
from genlab.assemble.recipe import SHORT_FORMS, Recipe
from genlab.assemble.role_tables import RoleConfig, overruled, resolve_roles
from genlab.config import schema
from genlab.config.component_name import is_other_name
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.init_table import Init
from genlab.config.schema import OPTIONAL_TABLES, TABLES
from genlab.config.validate import Keys, bare, describe, dotted, key_hint, nearest, shown, validate_table
from genlab.errors import Fault
from genlab.interfaces.kinds import KINDS
from genlab.interfaces.loss import Loss, Objective
from genlab.interfaces.metric import Metric
from genlab.interfaces.role import GENERATOR, NetworkKind, Role
from genlab.interfaces.terms import needs_discriminator
from genlab.interfaces.weight import Weight
from genlab.registry.components import ComponentConfig, Components

_BEFORE_TABLES = (
    "title",
    "seed",
    "data",
    "input",
    "augment",
    "method",
    *SHORT_FORMS,
    "networks",
    "init",
    "losses",
    "optimizer",
    "schedule",
)
KEYS = (*dict.fromkeys((*_BEFORE_TABLES, *TABLES)), "listeners", "ablation")

LABELED: tuple[Keys, ...] = tuple(kind.table for kind in KINDS.values() if kind.is_labeled)

T = TypeVar("T")


def resolve(document: Document, components: Components) -> Recipe:
    """Resolve a document into a recipe; `RecipeError` lists all of its faults."""
    resolver = _Resolver(document.values, components)
    recipe = resolver.recipe()
    faults = [*resolver.faults, *(overruled(document, recipe.optimizers) if recipe else ())]
    if recipe is None or faults:
        raise recipe_error(faults, document)
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
        augmentations = self.labeled("augmentation", ("augment",))
        method = self.component("method", ("method",))
        losses, weights = self.losses()
        metrics = self.labeled("metric", ("evaluate", "metrics"))
        for label in metrics:
            if "/" in label:
                what = f"invalid label `{label}`: a slash separates a metric's label from its scores"
                self.fault(("evaluate", "metrics", label), what, at_key=True)
        self.faults += best_checkpoint_faults(tables["checkpoint"], tables["train"], metrics)
        listeners = self.labeled("listener", ("listeners",))
        networks = self.networks(method, losses)
        optimizers, schedules = (self.by_role(kind, method, networks) for kind in ("optimizer", "schedule"))
        init = self.init(method, networks)
        self.hold_to_predictions(method, ("losses",), losses)
        self.hold_to_predictions(method, ("evaluate", "metrics"), metrics)
        if self.faults or data is None or method is None:
            return None
        roles = {role: method.component.cls.roles[role] for role in networks}
        self.faults += accumulation_faults(losses, tables["train"])
        self.faults += average_faults(tables["ema"], tables["inference"], roles)
        if self.faults:
            return None
        tables["ema"] = tables["ema"] and tables["ema"].settled(trained_generators(roles))
        averaged = tables["ema"] is not None and predicts_averaged(tables["ema"], roles)
        tables["inference"] = tables["inference"].settled(tables["train"].batch_size, averaged=averaged)
        return Recipe(
            title=title,
            settings=schema.Settings(seed=seed, **tables),
            data=data,
            augmentations=augmentations,
            method=method,
            networks=networks,
            init=init,
            losses=losses,
            weights={label: weights[label] for label in losses},
            optimizers=optimizers,
            schedules=schedules,
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
        fault = Fault(keys, what, hint, at_key)
        if fault not in self.faults:  # a table may be read for several roles
            self.faults.append(fault)

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
        if name in OPTIONAL_TABLES and self.values.get(name, False) is False:
            return None
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

    def losses(self) -> tuple[dict[str, ComponentConfig], dict[str, Weight]]:
        """The losses of a weight above 0, and the weights."""
        tables = self.labels(("losses",))
        weights = {label: self.weight(label, table) for label, table in tables.items()}
        configs = {
            label: self.specified("loss", _without(table, ("weight",)), ("losses", label), ("name", "weight"))
            for label, table in tables.items()
            if weights[label] != Weight(0)
        }
        return {label: config for label, config in configs.items() if config}, weights

    def weight(self, label: str, table: Mapping[str, Any]) -> Weight:
        """The weight of a loss: a number, or a table of one that changes over the training."""
        keys: Keys = ("losses", label, "weight")
        given = table.get("weight", 1.0)
        if not isinstance(given, dict):
            return Weight(self.value(schema.LossWeight, keys, 1.0))
        checked, faults = validate_table(schema.ScheduledWeight, given, keys, f"the weight of {label}")
        self.faults += faults
        return Weight(checked.to, getattr(checked, "from"), checked.over) if checked else Weight(1.0)

    def networks(
        self, method: ComponentConfig | None, losses: Mapping[str, ComponentConfig]
    ) -> dict[str, ComponentConfig]:
        """The networks of the method; discriminators only if a loss needs one."""
        roles: Mapping[str, Role] = method.component.cls.roles if method else {"generator": GENERATOR}
        defaults = {kind: self.table((kind,)) for kind in SHORT_FORMS}
        for kind in SHORT_FORMS:
            if kind in self.values and all(role.kind != kind for role in roles.values()):
                self.component(kind, (kind,))  # not used, but inherited by others
        if method:
            self.unknown_roles(method, roles)
        judged = [label for label, config in losses.items() if needs_discriminator(config.component.cls)]
        tables = {role: self.role_table(role, roles, defaults) for role in roles}
        configs: dict[str, ComponentConfig] = {}
        for role, (kind, keys, table) in tables.items():
            if table is None or (kind == "discriminator" and not table):
                continue  # reported already, or by each loss that needs it
            config = self.specified(kind, table, keys)
            if config and (kind != "discriminator" or judged):
                configs[role] = config
        if method:
            judges = [tables[name].table for name, role in roles.items() if role.kind == "discriminator"]
            for label in judged:
                self.needs_discriminator(label, judges)
            self.faults += game_faults(losses)
        return configs

    def role_table(
        self, role: str, roles: Mapping[str, Role], defaults: Mapping[str, dict[str, Any] | None]
    ) -> _RoleTable:
        """The table of a role: its own over that of the role it is like, or over the short form of its kind."""
        kind, like = roles[role].kind, roles[role].like
        if like:
            _, keys, table = self.role_table(like, roles, defaults)
        else:
            keys, table = (kind,), defaults.get(kind, {})
        own = self.table(("networks", role)) if self.table(("networks",)) is not None else None
        if own is None or table is None:
            return _RoleTable(kind, keys, None)
        if not own:
            return _RoleTable(kind, keys if table or role in SHORT_FORMS else ("networks", role), table)
        # Settings are of the component that they were written for.
        is_other = "name" in own and is_other_name(table.get("name"), own["name"])
        return _RoleTable(kind, ("networks", role), own if is_other else {**table, **own})

    def by_role(
        self, kind: str, method: ComponentConfig | None, networks: Mapping[str, ComponentConfig]
    ) -> dict[str, RoleConfig[Any]]:
        """The components of a kind for the method's trained networks, by role."""
        if method is None:
            return {}
        roles: Mapping[str, Role] = method.component.cls.roles
        trained = [name for name, role in roles.items() if role.trained]
        configs, faults = resolve_roles(KINDS[kind], self.table((kind,)) or {}, trained, self.components)
        self.faults += faults
        return {role: config for role, config in configs.items() if role in networks}

    def unknown_roles(self, method: ComponentConfig, roles: Mapping[str, Role]) -> None:
        names = ", ".join(roles)
        for role in self.table(("networks",)) or {}:
            if role not in roles:
                what = f"{method.component} has no network `{role}`; it has {names}"
                self.fault(("networks", role), what, nearest(role, roles), at_key=True)

    def init(self, method: ComponentConfig | None, networks: Mapping[str, ComponentConfig]) -> Mapping[str, Init]:
        """The tables of `[init]`, by role; those of networks that nothing uses are dropped, as the networks are."""
        given = self.table(("init",))
        if not given or method is None:
            return {}
        found, faults = read_init(given, method)
        self.faults += faults
        return {role: init for role, init in found.items() if role in networks}

    def hold_to_predictions(
        self, method: ComponentConfig | None, keys: Keys, configs: Mapping[str, ComponentConfig]
    ) -> None:
        """Check that losses and metrics take what the method predicts, and have the pairs that they need."""
        if method is None:
            return
        predicting: Any = method.component.cls
        for label, config in configs.items():
            taking: Any = config.component.cls
            if issubclass(taking, Objective) and taking.needs_pairs and not predicting.needs_pairs:
                what = f"{config.component} compares a prediction with its own target, and {method.component}"
                hint = f"Remove it with {dotted((*keys, label))} = false."
                self.fault((*keys, label), f"{what} learns without pairs", hint, at_key=True)
            if issubclass(taking, Loss | Metric) and taking.predictions != predicting.predictions:
                what = f"{config.component} takes {taking.predictions}, and {method.component} predicts"
                hint = f"Remove it with {dotted((*keys, label))} = false."
                self.fault((*keys, label), f"{what} {predicting.predictions}", hint, at_key=True)

    def needs_discriminator(self, label: str, tables: Sequence[dict[str, Any] | None]) -> None:
        """Record a fault if a loss needs a discriminator, and there is none."""
        drop = f"or drop the loss with losses.{bare(label)}.weight = 0."
        if not tables:
            what = f"the loss `{label}` needs a discriminator, which the method does not use"
            self.fault(("losses", label), what, f"Choose another method, {drop}", at_key=True)
        elif {} in tables:
            what = f"the loss `{label}` needs a discriminator, and the recipe has none"
            names = ", ".join(self.components.names("discriminator"))
            hint = f"Add a table [discriminator] with a `name` ({names}), {drop}"
            self.fault(("losses", label), what, hint, at_key=True)


class _RoleTable(NamedTuple):
    """Table of a role: the kind of its network, its place in the recipe, and its values; None if it is no table."""

    kind: NetworkKind
    keys: Keys
    table: dict[str, Any] | None


def _without(table: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _table_hint(keys: Keys, value: object) -> str | None:
    """Hint at the likely meaning of a value given instead of a component's table."""
    if keys in LABELED:
        return f"Each of them has a table of its own: [{dotted((*keys, 'NAME'))}]."
    if isinstance(value, str) and keys[0] not in TABLES:
        return f"To name the component: {dotted(keys)}.name = {shown(value)}"
    if isinstance(value, int | float) and keys[:-1] == ("losses",) and value is not True:
        return f"To set its weight: {dotted(keys)}.weight = {shown(value)}"
    if keys[:-1] in LABELED:
        return "Use {} for its defaults, or false to remove it."
    return None
