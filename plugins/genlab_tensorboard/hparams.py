"""Settings and scores of runs for TensorBoard's HParams page."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2

RunSettings = Mapping[str, str | float | bool]

_WITHOUT_EFFECT = ("title", "evaluate", "checkpoint", "listeners")
# TensorBoard shows five settings, unless others are chosen: those that are said to differ come first.
_SHOWN_FIRST = {"generator.name", "losses.l1.weight", "optimizer.learning_rate", "train.batch_size", "train.steps"}


def settings_of(recipe: str) -> dict[str, str | float | bool]:
    """The settings in a recipe's TOML that results depend on, by their dotted keys.

    genlab's own components are shown without their package, as in runs from before recipes named it.
    """
    tables = {name: value for name, value in tomllib.loads(recipe).items() if name not in _WITHOUT_EFFECT}
    return dict(_leaves(tables))


def row_value(settings: RunSettings, trial: str) -> Summary.Value:
    """A run's row on the page; TensorBoard averages the scores of runs of one trial, such as an arm."""
    return summary_v2.hparams_pb(dict(settings), trial_id=trial).value[0]


def columns_value(settings: Sequence[str], scores: Mapping[str, str]) -> Summary.Value:
    """The page's columns, settings and the titles of scores by their tags; the first that TensorBoard finds count."""
    metrics = [summary_v2.Metric(tag, display_name=title) for tag, title in scores.items()]
    value = summary_v2.hparams_config_pb([summary_v2.HParam(name) for name in settings], metrics).value[0]
    data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
    for info in data.experiment.hparam_infos:
        info.differs = info.name in _SHOWN_FIRST
    value.metadata.plugin_data.content = data.SerializeToString()
    return value


def finished_value() -> Summary.Value:
    """Mark of a run that has finished."""
    info = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS)
    about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=info))
    return Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | float | bool]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        elif isinstance(value, str):
            yield f"{prefix}{key}", value.removeprefix("genlab:") if key == "name" else value
        else:
            yield f"{prefix}{key}", value if isinstance(value, float | int) else json.dumps(value, default=str)
