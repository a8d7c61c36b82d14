"""What TensorBoard's own reader finds in the files of a run."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

from genlab import Ended, Validated
from genlab_tensorboard.hparams import settings_of
from genlab_tensorboard.layout import layout

Tell = Callable[[int], Any]
PREVIEW = "preview (condition, prediction, target)/cmp_1.jpg"


def load(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "scalars": 0}).Reload()


def steps(folder: Path, tag: str) -> list[int]:
    return [event.step for event in load(folder).Scalars(tag)]


def test_every_figure_has_a_curve(folder: Path, tell: Tell) -> None:
    tell(0).until(20)
    found = load(folder)
    assert {tag: [event.value for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]} == {
        "loss/generator/l1": pytest.approx([0.1, 0.2]),
        "loss/discriminator/adversarial": [0.5, 0.5],
        "optimizer/learning_rate/generator": pytest.approx([2e-4, 2e-4]),
        "optimizer/learning_rate/discriminator": pytest.approx([1e-4, 1e-4]),
        "optimizer/loss_weight/l1": [5.0, 10.0],
        "optimizer/gradient_norm/generator": [5.0, 5.0],
        "weights/gradient_norm/generator/encoder 1": [4.0, 4.0],
        "weights/gradient_norm/generator/decoder 1": [2.0, 2.0],
        "weights/gradient_norm/discriminator/convolution 1": [1.0, 1.0],
        "weights/gradient_to_weight/generator/encoder 1": [0.25, 0.25],
        "weights/gradient_to_weight/discriminator/convolution 1": [0.125, 0.125],
        "speed/images_per_second": [8.5, 8.5],
        "speed/waiting_for_data": [0.25, 0.25],
        "validation/l1": pytest.approx([0.2]),
        "validation/psnr": pytest.approx([0.2]),
        "train/l1": pytest.approx([0.2]),
        "train/psnr": pytest.approx([0.2]),
        "gap/l1": [0.0],
    }
    assert steps(folder, "loss/generator/l1") == [10, 20]


def test_the_many_curves_of_levels_sort_behind_validation(folder: Path, tell: Tell) -> None:
    tell(0).until(20)
    tags = sorted(load(folder).Tags()["scalars"])
    assert max(n for n, tag in enumerate(tags) if "validation/" in tag) < min(
        n for n, tag in enumerate(tags) if tag.startswith("weights/")
    )


def hparams(folder: Path, tag: str) -> plugin_data_pb2.HParamsPluginData:
    content = load(folder).SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def test_hparams_name_the_package_of_what_is_not_genlab_s() -> None:
    recipe = '[generator]\nname = "genlab:unet"\nlevels = 8\n[losses.l1]\nname = "mine.py:l1"\nword = "genlab:word"'
    shown = {"generator.name": "unet", "generator.levels": 8, "losses.l1.name": "mine.py:l1"}
    assert settings_of(recipe) == {**shown, "losses.l1.word": "genlab:word"}


def test_a_run_is_a_row_of_hparams_with_its_settings_and_scores(folder: Path, tell: Tell) -> None:
    run = tell(0).until(20)
    start = hparams(folder, "session_start_info").session_start_info
    assert start.group_name == folder.name
    assert {name: value.string_value for name, value in start.hparams.items()} == {"generator.name": "unet"}
    experiment = hparams(folder, "experiment").experiment
    assert [(info.name, info.differs) for info in experiment.hparam_infos] == [("generator.name", True)]
    assert [info.name.tag for info in experiment.metric_infos] == ["validation/l1", "validation/psnr"]
    run.listener.ended(Ended(20, "finished", 1.0))
    assert hparams(folder, "session_end_info").session_end_info.status == api_pb2.STATUS_SUCCESS


def test_pictures_show_the_three_sides_of_each_pair_beside_each_other(folder: Path, tell: Tell) -> None:
    tell(0).until(40)
    found = load(folder)
    assert len(found.Tags()["images"]) == 2
    events = found.Images(PREVIEW)
    assert [event.step for event in events] == [20, 40]
    picture = np.asarray(Image.open(io.BytesIO(events[1].encoded_image_string)))
    assert picture.shape == (24, 3 * 16 + 2 * 4, 3) == (events[1].height, events[1].width, 3)
    assert picture[5, :, 0].tolist() == [10] * 16 + [255] * 4 + [40] * 16 + [255] * 4 + [30] * 16


def test_events_can_be_read_as_soon_as_they_are_told(folder: Path, tell: Tell) -> None:
    run = tell(0)
    for last in (10, 20, 30):
        run.until(last)
        assert steps(folder, "loss/generator/l1")[-1] == last


def test_a_resumed_run_forgets_what_came_after_its_checkpoint(folder: Path, tell: Tell) -> None:
    tell(0).until(70)
    tell(30).until(50, shift=1.0)

    found = load(folder)
    losses = [(event.step, round(event.value, 3)) for event in found.Scalars("loss/generator/l1")]
    assert losses == [(10, 0.1), (20, 0.2), (30, 0.3), (40, 1.4), (50, 1.5)]
    assert steps(folder, "validation/l1") == [20, 40]
    assert [event.step for event in found.Images(PREVIEW)] == [20, 40]


def test_a_tensorboard_that_is_open_forgets_it_too(folder: Path, tell: Tell) -> None:
    tell(0).until(70)
    opened = load(folder)
    assert [event.step for event in opened.Scalars("validation/l1")] == [20, 40, 60]
    tell(30)
    opened.Reload()
    assert [event.step for event in opened.Scalars("validation/l1")] == [20]


def test_what_was_told_at_the_step_of_a_resume_stays(folder: Path, tell: Tell) -> None:
    """Also if the run is stopped and resumed there again."""
    tell(0).until(20)
    tell(20).listener.validated(Validated(20, {"validation/made_up_for": 0.5}))
    tell(20)
    tell(20).until(40)
    assert steps(folder, "validation/l1") == [20, 40]
    assert steps(folder, "validation/made_up_for") == [20]


@pytest.mark.parametrize(
    ("validated", "previewed", "kept"), [(True, True, (2, 2)), (True, False, (2, 1)), (False, False, (1, 1))]
)
def test_what_is_repeated_after_a_resume_is_there_once(
    folder: Path, tell: Callable[..., Any], validated: bool, previewed: bool, kept: tuple[int, int]
) -> None:
    """As after a kill between a validation and the checkpoint that says that it is over."""
    tell(0).until(40)
    tell(40, validated, previewed)
    assert (len(steps(folder, "validation/l1")), len(load(folder).Images(PREVIEW))) == kept
    assert steps(folder, "loss/generator/l1") == [10, 20, 30, 40]
    assert "Validation and training pairs" in charts(folder)


def test_a_run_can_be_resumed_many_times(folder: Path, tell: Tell) -> None:
    tell(0).until(30)
    for step in (20, 10, 20, 30):
        tell(step).until(step + 10, shift=step)
    losses = [(event.step, round(event.value, 3)) for event in load(folder).Scalars("loss/generator/l1")]
    assert losses == [(10, 0.1), (20, 10.2), (30, 20.3), (40, 30.4)]


@pytest.mark.parametrize("tail", [b"\0" * 100, b"\xff" * 100, None], ids=["zeros", "ones", "cut short"])
def test_an_event_that_was_cut_short_goes_away_on_resume(folder: Path, tell: Tell, tail: bytes | None) -> None:
    tell(0).until(20)
    (file,) = (folder / "tensorboard").iterdir()
    content = file.read_bytes()
    file.write_bytes(content + tail if tail else content[:-3])

    tell(20).until(30)

    assert steps(folder, "loss/generator/l1") == [10, 20, 30]
    assert content.startswith(file.read_bytes())
    assert (PREVIEW in load(folder).Tags()["images"]) == (tail is not None)


def test_resuming_leaves_files_of_others_alone(folder: Path, tell: Tell) -> None:
    tell(0).until(20)
    notes = folder / "tensorboard" / "notes.txt"
    notes.write_text("mine")
    tell(10)
    assert notes.read_text() == "mine"


def charts(folder: Path) -> dict[str, dict[str, list[str]]]:
    """The last page of charts that was written: patterns of tags by category and chart."""
    event = load(folder).Tensors("custom_scalars__config__")[-1]
    page = Layout.FromString(event.tensor_proto.string_val[0])
    return {
        category.title: {chart.title: list(chart.multiline.tag) for chart in category.chart}
        for category in page.category
    }


def test_the_page_of_charts_grows_with_what_there_is(folder: Path, tell: Tell) -> None:
    run = tell(0).until(10)
    assert list(charts(folder)) == ["Losses", "Gradients of every level", "Gradients relative to weights"]
    run.until(20)
    assert charts(folder)["Validation and training pairs"] == {
        "l1": ["validation/l1$", "train/l1$"],
        "psnr": ["validation/psnr$", "train/psnr$"],
    }
    run.until(60)
    assert len(load(folder).Tensors("custom_scalars__config__")) == 2


def test_the_page_of_charts_is_whole_right_after_a_resume(folder: Path, tell: Tell) -> None:
    tell(0).until(20)
    before = charts(folder)
    tell(20).until(30)
    assert charts(folder) == before


def test_a_chart_keeps_to_its_own_role() -> None:
    page = layout(["weights/gradient_norm/generator/x", "weights/gradient_norm/generator_b/x"])
    first = page.category[0].chart[0].multiline.tag[0]
    assert re.match(first, "weights/gradient_norm/generator/x")
    assert not re.match(first, "weights/gradient_norm/generator_b/x")


@pytest.mark.cold
def test_nothing_heavy_is_imported(python: list[str]) -> None:
    script = """
import sys, tempfile
from pathlib import Path
from typing import Any
from genlab import Started
from genlab_tensorboard.listener import TensorBoard
listener = TensorBoard()
assert "tensorboard" not in sys.modules, "imported before there is a run"
with tempfile.TemporaryDirectory() as folder:
    listener.started(Started(Path(folder), "", "", {}, 0, 1, 1))
heavy = {"torch", "tensorflow", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([*python, "-c", script], check=True)
