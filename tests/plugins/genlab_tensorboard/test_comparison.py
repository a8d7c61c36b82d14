"""What TensorBoard shows of an ablation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams import plugin_data_pb2

from genlab import Compared, Interval, Pictures, Started, Trial, Validated
from genlab_tensorboard.listener import TensorBoard

ARMS = {"skips": True, "no-skips": False}


def load(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "tensors": 0}).Reload()


def plugin_data(folder: Path, tag: str) -> plugin_data_pb2.HParamsPluginData:
    content = load(folder).SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


@pytest.fixture
def event(tmp_path: Path) -> Compared:
    """Two arms of two seeds, each of whose runs wrote its own files before."""
    trials = [
        Trial(arm, seed, tmp_path / arm / str(seed), {"generator.skips": on})
        for arm, on in ARMS.items()
        for seed in (0, 1)
    ]
    for trial in trials:
        trial.folder.mkdir(parents=True)
        listener = TensorBoard()
        listener.started(Started(trial.folder, "Toy", "", {}, 0, 8, 1))
        listener.validated(Validated(8, {"validation/l1": 0.5 + trial.seed}))
    curves = {"validation/l1": {arm: {4: Interval(0.1, 0.2, 0.3), 8: Interval(0.0, 0.1, 0.2)} for arm in ARMS}}
    sides = [np.full((1, 8, 8, 3), value, np.uint8) for value in (10, 20, 30)]
    pictures = {arm: Pictures(("pair",), sides[0], sides[1] + 5 * number, sides[2]) for number, arm in enumerate(ARMS)}
    return Compared(tmp_path, ["validation/l1"], trials, curves, pictures)


@pytest.fixture
def written(event: Compared) -> Path:
    """Told twice, as when an ablation is called again."""
    for _ in range(2):
        TensorBoard().compared(event)
    return event.folder


def test_runs_of_an_arm_are_one_trial_of_hparams(written: Path, event: Compared) -> None:
    for trial in event.trials:
        folder = trial.folder / "tensorboard"
        start = plugin_data(folder, "_hparams_/session_start_info").session_start_info
        assert start.group_name == trial.arm
        assert start.hparams["generator.skips"].bool_value == ARMS[trial.arm]
        assert plugin_data(folder, "_hparams_/session_end_info").HasField("session_end_info")
        assert [scalar.step for scalar in load(folder).Scalars("validation/l1")] == [8]
        assert len(list(folder.iterdir())) == 2


def test_an_arm_is_a_run_with_a_row_of_its_own(written: Path) -> None:
    for arm, skips in ARMS.items():
        start = plugin_data(written / "tensorboard" / arm, "_hparams_/session_start_info").session_start_info
        assert (start.group_name, start.hparams["generator.skips"].bool_value) == (arm, skips)


def test_the_experiment_names_what_differs_and_what_is_measured(written: Path) -> None:
    experiment = plugin_data(written / "tensorboard", "_hparams_/experiment").experiment
    assert [info.name for info in experiment.hparam_infos] == ["generator.skips"]
    assert [info.name.tag for info in experiment.metric_infos] == ["over the seeds/validation/l1/mean"]
    assert [info.display_name for info in experiment.metric_infos] == ["validation/l1"]


def test_every_arm_has_a_curve_in_a_band(written: Path) -> None:
    for arm in ARMS:
        found = load(written / "tensorboard" / arm)
        for end, values in {"low": [0.1, 0.0], "mean": [0.2, 0.1], "high": [0.3, 0.2]}.items():
            curve = found.Scalars(f"over the seeds/validation/l1/{end}")
            assert [scalar.step for scalar in curve] == [4, 8]
            assert [scalar.value for scalar in curve] == pytest.approx(values)


def test_the_bands_are_one_chart_a_metric(written: Path) -> None:
    (found,) = load(written / "tensorboard").Tensors("custom_scalars__config__")
    layout = Layout.FromString(found.tensor_proto.string_val[0])
    (chart,) = layout.category[0].chart
    (series,) = chart.margin.series
    tags = load(written / "tensorboard" / "skips").Tags()["scalars"]
    assert {series.value, series.lower, series.upper} == set(tags)


def test_one_picture_a_pair_shows_every_arm(written: Path) -> None:
    found = load(written / "tensorboard")
    (tag,) = found.Tags()["images"]
    assert tag == "condition, skips, no-skips, target/pair"
    (picture,) = found.Images(tag)
    assert (picture.width, picture.height) == (4 * 8 + 3 * 4, 8)


def test_an_ablation_without_pictures_or_finished_runs(tmp_path: Path) -> None:
    TensorBoard().compared(Compared(tmp_path, ["validation/l1"], [], {"validation/l1": {}}, {}))
    assert load(tmp_path / "tensorboard").Tags()["images"] == []
