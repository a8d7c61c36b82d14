"""The pairs of a run's own data, to predict from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlab.data.prepared import PreparedPairs
from genlab.errors import DataError
from genlab.interfaces.dataset import Pairs, SideName, require_side_image
from genlab.runs.output_files import refuse_overwrite
from genlab.runs.run import Run
from genlab.tools.prediction_files import PredictionSource, make_folder, with_endings
from genlab.tools.prediction_task import PredictionTask

PredictedSplit = Literal["validation", "test"]
"""Setting for the split whose pairs are predicted."""

_SPLITS: Mapping[str, Callable[[Run], PreparedPairs]] = {
    "validation": Run.validation_pairs,
    "test": Run.test_pairs,
}

_LONGEST = 56
"""Characters of a part of a name, of up to four bytes in 255, with room for what follows."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Names of devices on Windows."""


def pair_sources(task: PredictionTask, split: PredictedSplit, endings: Sequence[str]) -> dict[str, PredictionSource]:
    """The images of a split, by key, each with a file for each ending; makes the folder for them.

    Each is read twice, as its key comes with it.

    Raises:
        DataError: the data is not there or has changed, cannot be read, or two images have one key.
        StorageError: a prediction's file is there already, or cannot be written.
    """
    side, pairs = task.direction.source.name, _SPLITS[split](task.run).pairs
    sources: dict[str, PredictionSource] = {}
    for index in range(pairs.count_of(side)):
        require_side_image(found := pairs.read_side(index, side), pairs.description)
        if found.key in sources:
            raise DataError("two images have this key", where=found.key, hint="The dataset has to give each its own.")
        targets = with_endings(task.out / file_name(found.key), endings)
        sources[found.key] = PredictionSource(found.key, partial(_read, pairs, index, side), targets)
    targets = [target for source in sources.values() for target in source.targets]
    refuse_overwrite(task.out, targets, overwrite=task.overwrite)
    make_folder(task.out)
    return sources


def file_name(key: str) -> Path:
    """A relative path for a key, which is safe on every system, and another for each key."""
    parts = [_safe(part) for part in key.split("/")]
    path = Path(*parts)
    if str(path) == key:
        return path
    return path.with_name(f"{path.name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}")


def _safe(part: str) -> str:
    """A part of a key as a file's name, without hiding it and without a device's name."""
    plain = re.sub(r"^[. ]|[. ]$|[^\w .()+=,@-]", "_", part[:_LONGEST])
    return f"_{plain}" if not plain or _RESERVED.match(plain) else plain


def _read(pairs: Pairs, index: int, side: SideName) -> NDArray[np.generic]:
    return pairs.read_side(index, side).image
