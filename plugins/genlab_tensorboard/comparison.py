"""An ablation in TensorBoard: arms over each other in their bands, a trial an arm in HParams, pictures side by side."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar.layout_pb2 import Category, Chart, Layout, MarginChartContent
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2

from genlab import Compared, Pictures, Trial
from genlab_tensorboard.event_file import EventFile
from genlab_tensorboard.summaries import layout_value, picture_value, scalar_value
from genlab_tensorboard.tags import column_titles

_FOLDER = "tensorboard"
_GAP = 4


def write_comparison(event: Compared) -> None:
    """Write `tensorboard/` in the ablation's folder anew, and to each trial's files which arm it is of.

    Runs of an arm are one trial in HParams, which averages their figures.
    """
    folder = event.folder / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    everything = EventFile(folder)
    everything.add(0, [layout_value(_layout(event.metrics)), *_experiment(event)])
    if event.pictures:
        everything.add(0, list(_pictures(event.pictures)))
    for arm in dict.fromkeys(trial.arm for trial in event.trials):
        _write_curves(EventFile(folder / arm), arm, event)
    for trial in event.trials:
        _write_session(trial)


def _write_curves(file: EventFile, arm: str, event: Compared) -> None:
    steps = sorted({step for arms in event.curves.values() for step in arms.get(arm, {})})
    for step in steps:
        found = {metric: arms[arm][step] for metric, arms in event.curves.items() if step in arms.get(arm, {})}
        figures = {f"{metric}/{end}": value for metric, band in found.items() for end, value in band._asdict().items()}
        file.add(step, [scalar_value(f"over the seeds/{tag}", value) for tag, value in figures.items()])


def _layout(metrics: Sequence[str]) -> Layout:
    """A chart a metric: the mean of every arm in its band."""
    charts: list[Chart] = []
    for metric in metrics:
        low, mean, high = (f"over the seeds/{metric}/{end}" for end in ("low", "mean", "high"))
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


def _experiment(event: Compared) -> list[Summary.Value]:
    names = dict.fromkeys(name for trial in event.trials for name in trial.settings)
    metrics = [summary_v2.Metric(tag) for tag in event.metrics]
    return list(summary_v2.hparams_config_pb([summary_v2.HParam(name) for name in names], metrics).value)


def _write_session(trial: Trial) -> None:
    folder = trial.folder / _FOLDER
    for old in folder.glob("*.session"):
        old.unlink()
    file = EventFile(folder, suffix=".session")
    file.add(0, list(summary_v2.hparams_pb(dict(trial.settings), trial_id=trial.arm).value))
    end = plugin_data_pb2.HParamsPluginData(
        session_end_info=plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS)
    )
    about = metadata.create_summary_metadata(end)
    file.add(0, [Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)])
