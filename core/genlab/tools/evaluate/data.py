"""The pairs that a run is evaluated on, and those that it was trained with."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import NamedTuple, get_args

import numpy as np

from genlab.assemble.experiment import construct, prepare
from genlab.assemble.open_data import DataSource, choose_source
from genlab.assemble.read import CheckedRecipe
from genlab.data.prepared import PreparedPairs
from genlab.errors import DataError, DataUnavailableError
from genlab.interfaces.dataset import Pairs, Split, TrainingSplit
from genlab.runs.conversion import unavailable_error
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
        is_own: whether the run was trained with this split.
        trained: the run's own splits by name; empty if they are not available as the run had them.
    """

    split: Split
    pairs: PreparedPairs
    fingerprint: str
    is_own: bool
    trained: Mapping[Split, PreparedPairs]

    def training_apart(self, count: int) -> PreparedPairs | None:
        """Training pairs apart from those that are measured, if they are so many; else None."""
        training = None if self.split == "train" else self.trained.get("train")
        return training if training and len(training) >= count else None


def open_evaluated(run: Run, own: CheckedRecipe, changed: CheckedRecipe, split: Split | None) -> EvaluatedData:
    """Open what is measured and what the run was trained with.

    Args:
        run: the run.
        own: its recipe.
        changed: the recipe of the evaluation, which may have other data.
        split: which split; by default `test` where there is one, else `validation`.

    Raises:
        DataError: there is no such split, it is not of the kind that the run was trained on, or the run's own data have
            changed.
    """
    is_other = own.recipe.data.table() != changed.recipe.data.table()
    others = _available(own) if is_other else []
    with nullcontext() if is_other else _own_data_named(run):
        source = _source(changed)
        chosen: Split = split or ("test" if "test" in source.splits() else "validation")
        opened = source.open(chosen)
    known, fingerprint = run.manifest.data.fingerprints.get(chosen), opened.fingerprint()
    if not is_other and known not in (None, fingerprint):
        what = f"the {chosen} data has changed since this run was trained"
        hint = "Restore the original data, or name the data to evaluate on with --data or --set data.root=PATH."
        raise DataError(what, where=opened.description, hint=hint)
    pairs = prepare(run.recipe, opened)
    _require_kind(run, pairs)
    trained = _trained_with(run, [*others, source])
    prepared: dict[Split, PreparedPairs] = {name: prepare(run.recipe, found) for name, found in trained.items()}
    return EvaluatedData(chosen, pairs, fingerprint, fingerprint == known, prepared)


@contextmanager
def _own_data_named(run: Run) -> Generator[None, None, None]:
    """Context whose error says how to evaluate where the run's own data are not available."""
    try:
        yield
    except DataUnavailableError as error:
        what = unavailable_error(run.manifest, error).what
        hint = "Name the data to evaluate on: --data FOLDER, or --set data.KEY=VALUE."
        raise DataUnavailableError(what, where=error.where, hint=hint) from error


def _available(checked: CheckedRecipe) -> list[DataSource]:
    try:
        return [_source(checked)]
    except DataUnavailableError:
        return []


def _source(checked: CheckedRecipe) -> DataSource:
    parts = replace(checked.recipe, augmentations={}, losses={}, metrics={}, listeners={})
    return choose_source(construct(parts, checked.document).data)


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
