"""Changes of a run's recipe that a resume may make. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from genlab.config.changed_values import ChangedValue, changed_values
from genlab.errors import RecipeError, RunError
from genlab.runs.folder import RunFolder


class Changeable(NamedTuple):
    """Keys of the recipe that may change between two parts of a training.

    Everything else decides what the weights mean: networks, losses, pairs, their order, the optimizers' state.

    Args:
        keys: pattern of the dotted keys.
        decides_result: whether the run is another experiment afterwards, so that it no longer counts as a trial of an
            ablation.
    """

    keys: str
    decides_result: bool


CHANGEABLE = (
    # The learning rate is a function of the step and of these, without a state; so is what is clipped.
    Changeable("train.steps", decides_result=True),
    Changeable("optimizer.learning_rate", decides_result=True),
    Changeable("optimizer.*.learning_rate", decides_result=True),
    Changeable("optimizer.clip", decides_result=True),
    Changeable("optimizer.*.clip", decides_result=True),
    Changeable("schedule.*", decides_result=True),
    # Another machine computes the same with other roundings.
    Changeable("train.device", decides_result=True),
    Changeable("train.threads", decides_result=True),
    Changeable("train.precision", decides_result=True),
    Changeable("train.compile", decides_result=True),
    # The content of the data is compared whenever a run is resumed, so only their location can change.
    Changeable("data.*", decides_result=False),
    # Scores are measured at other steps, or on more pairs, from here on; what they measure stays.
    Changeable("evaluate.validations", decides_result=True),
    Changeable("evaluate.pairs", decides_result=True),
    # What decides when the training ends.
    Changeable("checkpoint.best", decides_result=True),
    Changeable("train.patience", decides_result=True),
    # The pictures of trials stand side by side in a report.
    Changeable("evaluate.preview*", decides_result=True),
    # Weights and scores do not depend on these.
    Changeable("checkpoint.minutes", decides_result=False),
    Changeable("checkpoint.keep", decides_result=False),
    Changeable("train.values_every", decides_result=False),
    Changeable("train.readers", decides_result=False),
    Changeable("train.read_ahead", decides_result=False),
    Changeable("listeners.*", decides_result=False),
    Changeable("title", decides_result=False),
)

CHANGEABLE_KEYS = tuple(changeable.keys for changeable in CHANGEABLE)


def is_changeable(key: str) -> bool:
    """True if a resume may change the value of a dotted key."""
    return any(_matches(key, pattern) for pattern in CHANGEABLE_KEYS)


def decides_result(key: str) -> bool:
    """True if a run with another value of a dotted key is another experiment."""
    return all(not _matches(key, known.keys) or known.decides_result for known in CHANGEABLE)


def _matches(key: str, pattern: str) -> bool:
    """True for a key of the pattern, and for a table of such keys that is empty."""
    return fnmatchcase(key, pattern) or fnmatchcase(f"{key}.", pattern)


def refuse_fixed(
    changes: Iterable[ChangedValue], assignments: Iterable[str], folder: RunFolder, compared: Collection[str]
) -> None:
    """Raise a `RunError` that lists the changes that a resume may not make.

    Args:
        changes: of the run's recipe.
        assignments: the `KEY=VALUE` texts that ask for them.
        folder: the run's.
        compared: keys of paths whose content is compared whenever the run is resumed, so their location can change.
    """
    fixed = [change for change in changes if not is_changeable(change.key) and change.key not in compared]
    if fixed:
        what = f"a resume cannot change these values of the recipe:{as_lines(fixed)}"
        anew = folder.command_to_start_again(*as_options(assignments))
        hint = f"It can change {', '.join(CHANGEABLE_KEYS)}.\nFor other values, start a new run: {anew}"
        raise RunError(what, where=str(folder.path), hint=hint)


def refuse_fixed_keys(
    assignments: Iterable[str], tables: Mapping[str, Any], folder: RunFolder, error: RecipeError
) -> None:
    """Raise a `RunError` if texts that make a recipe invalid are of settings that no resume may change.

    What the recipe's error advises would be refused as well, so it is given as advice on a new run.

    Args:
        assignments: the `KEY=VALUE` texts.
        tables: the run's recipe, which has the settings, perhaps in other tables.
        folder: the run's.
        error: what is wrong with the changed recipe.
    """
    keys = [assignment.partition("=")[0].strip() for assignment in assignments]
    settings = {change.key.rpartition(".")[2] for change in changed_values({}, tables)}
    if fixed := [key for key in keys if not is_changeable(key) and key.rpartition(".")[2] in settings]:
        hint = f"It can change {', '.join(CHANGEABLE_KEYS)}.\nA new run would refuse this as well: {error}"
        raise RunError(f"a resume cannot change {', '.join(fixed)}", where=str(folder.path), hint=hint) from error


def as_lines(changes: Iterable[ChangedValue]) -> str:
    """Changes for a message, each on a line of its own."""
    return "".join(f"\n  {change}" for change in changes)


def as_options(assignments: Iterable[str]) -> list[str]:
    """`KEY=VALUE` texts as words of the command line."""
    return [word for assignment in assignments for word in ("--set", assignment)]
