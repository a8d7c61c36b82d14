"""The pairs that a run is evaluated on, and those that it was trained with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from genlab.assemble.experiment import prepare
from genlab.assemble.open_data import DataSource
from genlab.config.validate import Keys, dotted, inline
from genlab.data.prepared import PreparedPairs
from genlab.errors import DataError, Fault, RecipeError
from genlab.interfaces.dataset import Pairs, Split, TrainingSplit
from genlab.runs.manifest import SideRecord
from genlab.runs.provenance import side_records
from genlab.runs.run import Run

_log = logging.getLogger("genlab")


class EvaluatedData(NamedTuple):
    """Pairs of an evaluation.

    Args:
        split: the split that is measured.
        pairs: its pairs.
        fingerprint: hash of their content.
        trained: the run's own splits by name; empty if they are not available as the run had them.
        note: a sentence on why they are not.
    """

    split: Split
    pairs: PreparedPairs
    fingerprint: str
    trained: Mapping[Split, PreparedPairs]
    note: str | None


def at_root(run: Run, root: Path) -> str:
    """The override that lets the run's dataset read another place; `RecipeError` if it has no setting for one."""
    table = run.recipe.data.table()
    keys = _place(table, "root") or _place(table, "path")
    if keys is None:
        what = f"the dataset {table['name']} has no setting `root` that could be {root}"
        hint = "Name another dataset: --set data.name=side_by_side --set data.root=PATH."
        raise RecipeError([Fault(("data",), what, hint, place="--data")])
    return f"{dotted(('data', *keys))}={inline(str(root.absolute()))}"


def _place(table: Mapping[str, Any], name: str) -> Keys | None:
    """Keys of a setting of a dataset, or of the one that it is around."""
    if name in table:
        return (name,)
    inner = table.get("source")
    keys = _place(inner, name) if isinstance(inner, Mapping) else None
    return None if keys is None else ("source", *keys)


def open_evaluated(run: Run, own: DataSource | None, other: DataSource | None, split: Split | None) -> EvaluatedData:
    """Open what is measured and what the run was trained with.

    Args:
        run: the run.
        own: the run's data; None if they are not available.
        other: other data, to be measured instead.
        split: which split; by default `test` where there is one, else `validation`.

    Raises:
        DataError: there is no such split, it is not of the kind that the run was trained on, or the run's own data have
            changed.
    """
    source = other or own
    assert source is not None
    chosen: Split = split or ("test" if "test" in source.splits() else "validation")
    opened = source.open(chosen)
    known, fingerprint = run.manifest.data.fingerprints, opened.fingerprint()
    if other is None and chosen in known and fingerprint != known[chosen]:
        what = f"the {chosen} data has changed since this run was trained"
        hint = "Restore the original data, or name the data to evaluate on with --data or --set data.root=PATH."
        raise DataError(what, where=opened.description, hint=hint)
    pairs = prepare(run.recipe, opened)
    _require_kind(run, pairs)
    trained = _trained_with(run, [each for each in (own, other) if each])
    note = None if trained else "The run's training data are not here as it had them, so nothing is compared with them."
    prepared: dict[Split, PreparedPairs] = {name: prepare(run.recipe, found) for name, found in trained.items()}
    return EvaluatedData(chosen, pairs, fingerprint, prepared, note)


def _trained_with(run: Run, sources: Sequence[DataSource]) -> Mapping[Split, Pairs]:
    """The splits of the first source that has the pairs that the run was trained on; none if no one has."""
    known = run.manifest.data.fingerprints
    for source in sources:
        try:
            opened: dict[Split, Pairs] = {split: source.open(split) for split in get_args(TrainingSplit)}
            if opened["train"].fingerprint() == known.get("train"):
                return opened
        except DataError as error:
            _log.info("The training data are not read: %s", error)
    return {}


def _require_kind(run: Run, pairs: PreparedPairs) -> None:
    if pairs.channels != run.manifest.channels:
        what = f"condition and target have {_counts(pairs.channels)} channels"
        trained = f"the run was trained on {_counts(run.manifest.channels)}"
        hint = "Convert the images, or evaluate a run that was trained on such images."
        raise DataError(f"{what}, and {trained}", where=pairs.pairs.description, hint=hint)
    records = (run.manifest.condition, run.manifest.target)
    for side, known, found in zip(("condition", "target"), records, side_records(pairs), strict=True):
        if known is not None and not _is_alike(known, found):
            what = f"the {side} is {_in_words(found)}; the run was trained on {_in_words(known)}"
            hint = "Convert the images to what the run knows, or read them with the dataset that it was trained with."
            raise DataError(what, where=pairs.pairs.description, hint=hint)


def _is_alike(known: SideRecord, found: SideRecord) -> bool:
    if known.classes is not None or found.classes is not None:
        return (known.classes, known.ignore) == (found.classes, found.ignore)
    types = {np.dtype(known.dtype), np.dtype(found.dtype)}
    is_scaled_by_type = known.range is None and all(dtype.kind == "u" for dtype in types)
    return known.range == found.range and (len(types) == 1 or is_scaled_by_type)


def _in_words(side: SideRecord) -> str:
    if side.classes is not None:
        return f"a label map of {len(side.classes)} classes"
    values = "" if side.range is None else " from {:g} to {:g}".format(*side.range)
    return f"an image of {side.dtype}{values}"


def _counts(channels: tuple[int, int]) -> str:
    return " and ".join(map(str, channels))
