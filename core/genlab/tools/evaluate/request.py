"""A request for an evaluation, and what it makes of the run's recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.config.diagnostics import recipe_error
from genlab.config.validate import Keys, dotted, inline
from genlab.errors import Fault, RecipeError
from genlab.interfaces.dataset import Split
from genlab.registry.components import ComponentConfig


class EvaluationRequest(NamedTuple):
    """A request for an evaluation.

    Args:
        split: which split; None for `test` where there is one, else `validation`.
        metrics: names of metrics besides those of the recipe.
        overrides: `KEY=VALUE` texts of `data` and `evaluate`.
        data: another place for the run's dataset.
        by: the score that ranks the images of the sheet; None for the first that each image has.
        out: the folder of the report; None for one below the run's.
        csv: a file to which the scores of each image are written too; None for none.
        overwrite: whether files that are there are replaced.
    """

    split: Split | None
    metrics: Sequence[str]
    overrides: Sequence[str]
    data: Path | None
    by: str | None
    out: Path | None
    csv: Path | None
    overwrite: bool


def evaluated_recipe(own: CheckedRecipe, asked: EvaluationRequest) -> CheckedRecipe:
    """A run's own recipe with what an evaluation changes.

    Raises:
        RecipeError: that is more than the data and what is measured.
    """
    changed = with_overrides(own, [*_assignments(own.recipe.data, asked), *asked.overrides])
    before, after = own.recipe.tables(), changed.recipe.tables()
    others = [key for key in {**before, **after} if key not in ("data", "evaluate")]
    fixed = [key for key in others if before.get(key) != after.get(key)]
    if fixed:
        hint = "An evaluation changes `data` and `evaluate` only; everything else is the run's."
        what = "this would be another run than the one that was trained"
        raise recipe_error([Fault((key,), what, hint) for key in fixed], changed.document)
    return changed


def _assignments(data: ComponentConfig, asked: EvaluationRequest) -> list[str]:
    places = [_at_root(data, asked.data)] if asked.data else []
    labels = {name: dotted(("evaluate", "metrics", name.rpartition(":")[2])) for name in asked.metrics}
    return [*places, *(f"{label}={{name={inline(name)}}}" for name, label in labels.items())]


def _at_root(data: ComponentConfig, root: Path) -> str:
    """The override that lets a dataset read another place; `RecipeError` if it has no setting for one."""
    table = data.table()
    keys = _place(table, "root") or _place(table, "path")
    if keys is None:
        what = f"the dataset {table['name']} has no setting `root` that could be {root}"
        hint = f"Name another dataset: --set data.name=side_by_side --set data.root={inline(str(root))}."
        raise RecipeError([Fault(("data",), what, hint, place="--data")])
    return f"{dotted(('data', *keys))}={inline(str(root.absolute()))}"


def _place(table: Mapping[str, Any], name: str) -> Keys | None:
    """Keys of a setting of a dataset, or of the one that it is around."""
    if name in table:
        return (name,)
    inner = table.get("source")
    keys = _place(inner, name) if isinstance(inner, Mapping) else None
    return None if keys is None else ("source", *keys)
