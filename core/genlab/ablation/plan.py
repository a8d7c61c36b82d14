"""Plan of an ablation: every arm with every seed, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from typing_extensions import override

from genlab.ablation.identity import substance
from genlab.ablation.sequential import SeedSchedule
from genlab.assemble.recipe import Recipe, score_names
from genlab.assemble.resolve import resolve
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document, Source, from_source
from genlab.config.schema import AblationTable
from genlab.config.validate import Keys, dotted, inline, nearest, validate_table
from genlab.errors import Fault, RecipeError
from genlab.registry.components import Components

TABLE = "ablation"
_SEED = Source("[ablation] seeds", "")
_STEPS: Keys = ("train", "steps")


@dataclass(frozen=True)
class PlannedTrial:
    """One arm with one seed.

    Args:
        arm: the arm's name.
        seed: the recipe's seed.
        recipe: what to train.
        document: where its values were written.
    """

    arm: str
    seed: int
    recipe: Recipe
    document: Document

    @override
    def __str__(self) -> str:
        return f"{self.arm}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """All trials of an ablation, arm by arm, the baseline among them.

    Args:
        title: the recipe's.
        settings: its `[ablation]`.
        trials: every arm with every seed that it may get.
        changes: what each arm changes: values by their keys.
        step_costs: what a step of each arm costs, in the unit of the budget; empty without one.
    """

    title: str
    settings: AblationTable
    trials: Sequence[PlannedTrial]
    changes: Mapping[str, Mapping[Keys, Any]]
    step_costs: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def arms(self) -> list[str]:
        """The names of the arms, the baseline first."""
        names = dict.fromkeys([self.settings.baseline, *(trial.arm for trial in self.trials)])
        return list(names)

    @property
    def schedule(self) -> SeedSchedule:
        """All seeds that an arm may get, and when the results are looked at."""
        return SeedSchedule.of(self.settings)

    @property
    def metrics(self) -> list[str]:
        """Compared scores, the primary one first."""
        return list(dict.fromkeys([self.settings.metric, *self.settings.metrics]))

    def assignments(self, arm: str) -> list[str]:
        """An arm's changes, as `--set` would take them."""
        return [f"{dotted(keys)}={inline(value)}" for keys, value in self.changes[arm].items()]

    def steps(self, arm: str) -> int:
        """The length of an arm's trainings."""
        return self.of(arm)[0].recipe.settings.train.steps

    def of(self, arm: str) -> list[PlannedTrial]:
        """The trials of an arm, in the order of the seeds."""
        return [trial for trial in self.trials if trial.arm == arm]


@dataclass(frozen=True)
class _Arm:
    name: str
    changes: Sequence[Keys]


def make_plan(document: Document, components: Components) -> Plan:
    """The plan that a recipe describes.

    Raises:
        RecipeError: there is no `[ablation]`, an arm's recipe has faults, an arm changes nothing, two are equal, or
            the baseline or a metric is unknown.
    """
    settings = _settings(document)
    base = document.without(TABLE)
    arms = list(_arms(settings))
    faults = [*_name_faults(settings, [arm.name for arm in arms]), *_stop_faults(settings)]
    if settings.budget:
        faults += _length_faults(document, arms)
    seeds = SeedSchedule.of(settings).seeds
    trials: list[PlannedTrial] = []
    for arm in arms:
        changed = base
        for keys in arm.changes:
            changed = document.below(keys).over(changed)
        try:
            trials += [_trial(arm.name, seed, changed, components) for seed in seeds]
        except RecipeError as error:
            faults += error.faults
    if faults:
        raise recipe_error(dict.fromkeys(faults), document)
    changes = {arm.name: _changes(document, arm) for arm in arms}
    plan = Plan(trials[0].recipe.title, settings, trials, changes)
    if faults := [*_equal_arms(plan, arms), *_metric_faults(plan)]:
        raise recipe_error(faults, document)
    return plan


def _settings(document: Document) -> AblationTable:
    table = document.values.get(TABLE)
    if not isinstance(table, dict):
        what = "this recipe has no [ablation] table"
        hint = "Add one with arms and a baseline; for an example see `gen recipes show ablation_skips`."
        raise recipe_error([Fault((TABLE,), what, hint)], document)
    settings, faults = validate_table(AblationTable, table, (TABLE,), "[ablation]")
    if settings is None:
        raise recipe_error(faults, document)
    return settings


def _arms(settings: AblationTable) -> Iterator[_Arm]:
    """Every combination of an arm with one choice of each axis, named by them all."""
    choices = [[(name, (TABLE, "axes", axis, name)) for name in values] for axis, values in settings.axes.items()]
    if settings.arms or not choices:
        choices = [[(name, (TABLE, "arms", name)) for name in settings.arms], *choices]
    for combination in product(*choices):
        yield _Arm("_".join(name for name, _ in combination), [keys for _, keys in combination])


def _changes(document: Document, arm: _Arm) -> dict[Keys, Any]:
    return {at: value for keys in arm.changes for at, value in _leaves(document.below(keys).values)}


def _leaves(table: Mapping[str, Any], at: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


def _trial(arm: str, seed: int, document: Document, components: Components) -> PlannedTrial:
    seeded = from_source({"seed": seed}, _SEED).over(document)
    return PlannedTrial(arm, seed, resolve(seeded, components), seeded)


def _name_faults(settings: AblationTable, arms: Sequence[str]) -> list[Fault]:
    faults: list[Fault] = []
    if len(arms) < 2:
        what = f"expected at least two arms to compare, got {len(arms)}"
        faults.append(Fault((TABLE,), what, "Add a table [ablation.arms.NAME] with what the arm changes.", at_key=True))
    elif settings.baseline not in arms:
        what = f"unknown arm `{settings.baseline}`; the arms are {', '.join(arms)}"
        faults.append(Fault((TABLE, "baseline"), what, nearest(settings.baseline, arms)))
    repeated = [seed for seed in dict.fromkeys(settings.seeds) if settings.seeds.count(seed) > 1]
    if repeated:
        what = f"duplicate seed {repeated[0]}: the same run again adds no information"
        faults.append(Fault((TABLE, "seeds"), what))
    return faults


def _stop_faults(settings: AblationTable) -> Iterator[Fault]:
    """Faults of settings that need or exclude each other."""
    most, seeds, keys = settings.max_seeds, len(settings.seeds), (TABLE, "max_seeds")
    if settings.stop == "settled" and most is None:
        what = 'stop = "settled" needs `max_seeds`, the most seeds of an arm'
        yield Fault((TABLE, "stop"), what, "Decide on it before you train: max_seeds = 10.")
    elif settings.stop == "fixed" and most is not None:
        what = f'max_seeds = {most} has no effect with stop = "fixed", which trains all of `seeds`'
        yield Fault(keys, what, 'Add stop = "settled", or drop it: --set ablation.max_seeds=false.')
    elif most is not None and most < seeds:
        what = f"max_seeds = {most} is less than the number of `seeds`, {seeds}, with which every arm begins"
        yield Fault(keys, what, "Give fewer seeds, or raise max_seeds.")


def _length_faults(document: Document, arms: Sequence[_Arm]) -> Iterator[Fault]:
    """Faults of lengths that a budget would overrule."""
    hint = "The steps of each arm follow from what a step of it costs. To set them: --set ablation.budget=false."
    origin = document.origin(_STEPS)
    if origin and origin.is_assignment:
        yield Fault(_STEPS, "the length of the trainings is set, and the budget decides it", hint, at_key=True)
    for arm in arms:
        for keys in arm.changes:
            if _STEPS in dict(_leaves(document.below(keys).values)):
                what = f"the arm `{arm.name}` sets its length, and the budget decides it"
                yield Fault((*keys, *_STEPS), what, hint, at_key=True)


def _equal_arms(plan: Plan, arms: Sequence[_Arm]) -> Iterator[Fault]:
    """Faults of arms that are the same experiment as an earlier one."""
    known = {plan.settings.baseline: _substance(plan, plan.settings.baseline)}
    for arm in arms:
        if arm.name == plan.settings.baseline:
            continue
        found = _substance(plan, arm.name)
        same = next((name for name, other in known.items() if other == found), None)
        if same is not None:
            what = f"the arm `{arm.name}` is the same experiment as `{same}`: none of its settings make a difference"
            yield Fault(arm.changes[-1], what, at_key=True)
        known[arm.name] = found


def _substance(plan: Plan, arm: str) -> dict[str, Any]:
    return substance(plan.of(arm)[0].recipe.tables())


def _metric_faults(plan: Plan) -> Iterator[Fault]:
    labels = set.intersection(*(set(trial.recipe.scores) for trial in plan.trials))
    names = score_names(labels)
    places: Mapping[Keys, str] = {
        (TABLE, "metric"): plan.settings.metric,
        **{(TABLE, "metrics", index): name for index, name in enumerate(plan.settings.metrics)},
    }
    for keys, name in places.items():
        if name not in names:
            what = f"no arm measures `{name}`; there are {', '.join(names) or 'no metrics in [evaluate.metrics]'}"
            yield Fault(keys, what, nearest(name, names))
