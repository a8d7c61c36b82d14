"""An ablation in TensorBoard: arms over each other in their bands and in HParams, pictures side by side."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar.layout_pb2 import Category, Chart, Layout, MarginChartContent

from genlab import Compared, Pictures
from genlab_tensorboard.event_file import EventFile
from genlab_tensorboard.hparams import columns_value, finished_value, row_value
from genlab_tensorboard.summaries import layout_value, picture_value, scalar_value
from genlab_tensorboard.tags import column_titles

_FOLDER = "tensorboard"
_GROUP = "over the seeds"
_GAP = 4


def write_comparison(event: Compared) -> None:
    """Write `tensorboard/` in the ablation's folder anew, with a run an arm, and to each trial's files its arm.

    In HParams, runs of an arm are one trial, whose scores are the mean of theirs.
    """
    names = list(dict.fromkeys(name for trial in event.trials for name in trial.settings))
    folder = event.folder / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    everything = EventFile(folder)
    means = {f"{_GROUP}/{metric}/mean": metric for metric in event.metrics}
    everything.add(0, [layout_value(_layout(event.metrics)), columns_value(names, means)])
    if event.pictures:
        everything.add(0, list(_pictures(event.pictures)))
    for arm, settings in {trial.arm: trial.settings for trial in event.trials}.items():
        file = EventFile(folder / arm)
        file.add(0, [row_value(settings, arm), finished_value()])
        _write_curves(file, arm, event)
    for trial in event.trials:
        # Its name makes TensorBoard read it before the run's own, which has a row and columns too.
        file = EventFile(trial.folder / _FOLDER, name="0.arm")
        columns = columns_value(names, {metric: metric for metric in event.metrics})
        file.add(0, [columns, row_value(trial.settings, trial.arm), finished_value()])


def _write_curves(file: EventFile, arm: str, event: Compared) -> None:
    steps = sorted({step for arms in event.curves.values() for step in arms.get(arm, {})})
    for step in steps:
        found = {metric: arms[arm][step] for metric, arms in event.curves.items() if step in arms.get(arm, {})}
        figures = {f"{metric}/{end}": value for metric, band in found.items() for end, value in band._asdict().items()}
        file.add(step, [scalar_value(f"{_GROUP}/{tag}", value) for tag, value in figures.items()])


def _layout(metrics: Sequence[str]) -> Layout:
    """A chart a metric: the mean of every arm in its band."""
    charts: list[Chart] = []
    for metric in metrics:
        low, mean, high = (f"{_GROUP}/{metric}/{end}" for end in ("low", "mean", "high"))
        series = MarginChartContent.Series(value=mean, lower=low, upper=high)
        charts.append(Chart(title=metric, margin=MarginChartContent(series=[series])))
    return Layout(category=[Category(title="Arms over the seeds", chart=charts)])


def _pictures(pictures: Mapping[str, Pictures]) -> Iterable[Summary.Value]:
    """For each pair one picture: condition, what every arm makes of it, and target."""
    first = next(iter(pictures.values()))
    condition, _, target = column_titles(first)
    for number, key in enumerate(first.keys):
        sides = [
            first.condition[number],
            *(each.prediction[number] for each in pictures.values()),
            first.target[number],
        ]
        gap = np.full((sides[0].shape[0], _GAP, 3), 255, np.uint8)
        row = [part for side in sides for part in (side, gap)][:-1]
        yield picture_value(f"{condition}, {', '.join(pictures)}, {target}/{key}", np.concatenate(row, axis=1))
