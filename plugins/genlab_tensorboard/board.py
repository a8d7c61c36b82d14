"""Summaries of one run for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from genlab import Pictures, Started
from genlab_tensorboard.event_file import EventFile, rewind
from genlab_tensorboard.hparams import columns_value, finished_value, row_value, settings_of
from genlab_tensorboard.layout import layout
from genlab_tensorboard.summaries import code_value, layout_value, picture_value, scalar_value, table_value
from genlab_tensorboard.tags import column_titles

_GAP = 4


class Board:
    """Curves, pictures and texts of one run, in a folder of event files.

    Args:
        folder: where the files are, in the run's folder.
        started: the start or the resume; events that it repeats are removed.
    """

    def __init__(self, folder: Path, started: Started) -> None:
        self._name = started.folder.name
        self._tags = rewind(folder, started)
        self._file = EventFile(folder, started.step)
        self._scores: list[str] = []

    def begin(self, facts: Mapping[str, str], recipe: str) -> None:
        """Write the run's texts and settings, in place of those written before."""
        self._settings = settings_of(recipe)
        texts = [table_value("facts", facts), code_value("recipe", recipe)]
        self._file.add(0, [*texts, row_value(self._settings, self._name)])

    def add_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write scalars by tag; the first of a kind adds a chart to the page."""
        values = [scalar_value(tag, scalar) for tag, scalar in scalars.items()]
        if new := [tag for tag in scalars if tag not in self._tags]:
            self._tags += new
            values.append(layout_value(layout(self._tags)))
        scores = [tag for tag in self._tags if tag.startswith("validation/")]
        if scores != self._scores:
            self._scores = scores
            self._file.add(0, [columns_value(list(self._settings), {tag: tag for tag in scores})])
        self._file.add(step, values)

    def finish(self) -> None:
        """Mark the run as finished."""
        self._file.add(0, [finished_value()])

    def add_pictures(self, step: int, pictures: Pictures) -> None:
        """A picture a pair: condition, prediction and target side by side."""
        sides = (pictures.condition, pictures.prediction, pictures.target)
        gap = np.full((*pictures.target.shape[:2], _GAP, 3), 255, np.uint8)
        rows = np.concatenate([sides[0], gap, sides[1], gap, sides[2]], axis=2)
        tag = f"preview ({', '.join(column_titles(pictures))})"
        values = [picture_value(f"{tag}/{key}", row) for key, row in zip(pictures.keys, rows, strict=True)]
        self._file.add(step, values)
