"""`metrics.csv` and `curves.csv` as pandas reads them."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
from genlab import Compared, Ended, Interval, Started, Step, Validated

from genlab_csv.listener import CSV

Begin = Callable[..., CSV]
Measured = Callable[..., Step]
Read = Callable[[], pandas.DataFrame]

METRICS = {"validation/l1": 0.3, "train/l1": 0.25, "gap/l1": 0.05}


def facts(rows: pandas.DataFrame) -> list[tuple[object, ...]]:
    """The rows without their times; where there is no image, its key is the empty text."""
    images = rows.image.astype(object).where(rows.image.notna(), "")
    return list(rows.drop(columns="time").assign(image=images).itertuples(index=False, name=None))


def steps(rows: pandas.DataFrame, event: str) -> list[int]:
    return rows[rows.event == event].step.unique().tolist()


def test_every_figure_becomes_a_row(begin: Begin, measured: Measured, read: Read) -> None:
    listener = begin()
    listener.step(measured(10))
    listener.validated(Validated(10, METRICS, {"validation/l1": {"a.png": 0.3}}))
    listener.ended(Ended(10, "paused", 12.5, metrics=METRICS))

    assert facts(read()) == [
        ("step", 10, "loss", "generator/l1", "", 0.5),
        ("step", 10, "learning_rate", "generator", "", 2e-4),
        ("step", 10, "gradient_norm", "generator/encoder 1", "", 3.0),
        ("step", 10, "weight_norm", "generator/encoder 1", "", 20.0),
        ("step", 10, "speed", "images_per_second", "", 8.5),
        ("validation", 10, "metric", "validation/l1", "", 0.3),
        ("validation", 10, "metric", "train/l1", "", 0.25),
        ("validation", 10, "metric", "gap/l1", "", 0.05),
        ("ended", 10, "seconds", "paused", "", 12.5),
    ]


def test_a_row_says_when_it_was_written(begin: Begin, measured: Measured, read: Read) -> None:
    before = pandas.Timestamp.now("UTC")
    begin().step(measured(1))
    times = read().time
    assert times.nunique() == 1
    assert before - pandas.Timedelta("1s") <= times[0] <= pandas.Timestamp.now("UTC")


def test_each_image_has_a_row_if_asked_for(begin: Begin, read: Read) -> None:
    per_image = {"validation/l1": {"a.png": 0.2, "b.png": 0.4}}
    begin(per_image=True).validated(Validated(10, {"validation/l1": 0.3}, per_image))
    assert facts(read()) == [
        ("validation", 10, "metric", "validation/l1", "", 0.3),
        ("validation", 10, "image_metric", "validation/l1", "a.png", 0.2),
        ("validation", 10, "image_metric", "validation/l1", "b.png", 0.4),
    ]


def test_a_step_whose_figures_were_not_read_leaves_no_row(begin: Begin, folder: Path) -> None:
    begin().step(Step(1, None))
    assert (folder / "metrics.csv").read_text() == "time,event,step,quantity,name,image,value\n"


def test_rows_can_be_read_as_soon_as_their_event_was_told(begin: Begin, measured: Measured, read: Read) -> None:
    listener = begin()
    for step in (1, 2, 3):
        listener.step(measured(step))
        assert steps(read(), "step")[-1] == step


def test_a_process_that_dies_leaves_whole_rows(folder: Path, read: Read) -> None:
    script = """
import os, sys
from pathlib import Path
from genlab import Started, Validated
from genlab_csv.listener import CSV
listener = CSV()
listener.started(Started(Path(sys.argv[1]), "", "", {}, 0, 9, 1))
listener.validated(Validated(3, {"validation/l1": 0.5}))
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script, folder], check=False).returncode == 9
    assert steps(read(), "validation") == [3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_pandas_reads_what_is_no_number_as_what_it_is(
    begin: Begin, measured: Measured, read: Read, value: float
) -> None:
    begin().step(measured(1, loss=value))
    values = read().value
    assert values.dtype == float
    assert repr(values[0].item()) == repr(value)
    assert values[1:].notna().all()


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-320, 1.7976931348623157e308, -0.0])
def test_a_value_has_all_of_its_digits(begin: Begin, measured: Measured, folder: Path, value: float) -> None:
    begin().step(measured(1, loss=value))
    with (folder / "metrics.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert repr(float(first["value"])) == repr(value)


def test_a_resumed_run_forgets_what_came_after_its_checkpoint(
    begin: Begin, measured: Measured, read: Read, folder: Path
) -> None:
    listener = begin()
    for step in range(10, 60, 10):
        listener.step(measured(step, loss=1.0))
        listener.validated(Validated(step, METRICS))

    resumed = begin(30)
    resumed.step(measured(40, loss=2.0))

    rows = read()
    assert steps(rows, "step") == [10, 20, 30, 40]
    assert steps(rows, "validation") == [10, 20, 30]
    assert rows[rows.quantity == "loss"].value.tolist() == [1.0, 1.0, 1.0, 2.0]
    assert not rows.drop(columns="time").duplicated().any()
    assert [path.name for path in folder.iterdir()] == ["metrics.csv"]


def test_a_validation_that_is_made_again_after_a_resume_is_there_once(
    begin: Begin, measured: Measured, read: Read
) -> None:
    listener = begin()
    listener.step(measured(30))
    listener.validated(Validated(30, METRICS))

    resumed = begin(30)
    resumed.validated(Validated(30, {**METRICS, "validation/l1": 0.31}))

    rows = read()
    assert rows[rows.name == "validation/l1"].value.tolist() == [0.31]
    assert len(rows[rows.event == "validation"]) == len(METRICS)
    assert steps(rows, "step") == [30]


def test_a_new_run_begins_a_new_file(begin: Begin, measured: Measured, read: Read) -> None:
    begin().step(measured(1))
    begin(0).step(measured(2))
    assert steps(read(), "step") == [2]


def test_an_ablation_leaves_its_courses(folder: Path) -> None:
    curve = {10: Interval(0.3, 0.4, 0.5), 20: Interval(0.2, 0.3, 0.4)}
    curves = {"validation/l1": {"unet": curve, "no-skips": {10: Interval(math.nan, 0.6, math.inf)}}}
    event = Compared(folder, ["validation/l1"], [], curves, {})
    CSV().compared(event)
    CSV().compared(event)  # as when the ablation goes on

    rows = pandas.read_csv(folder / "curves.csv")
    assert list(rows.columns) == ["arm", "metric", "step", "low", "mean", "high"]
    assert rows.arm.tolist() == ["unet", "unet", "no-skips"]
    assert set(rows.metric) == {"validation/l1"}
    assert rows.step.tolist() == [10, 20, 10]
    assert rows["mean"].tolist() == [0.4, 0.3, 0.6]
    assert math.isnan(rows.low[2])
    assert rows.high[2] == math.inf


def test_a_run_that_cannot_be_written_is_the_frameworks_to_report(tmp_path: Path) -> None:
    """A listener that raises is switched off with a warning, so it need not swallow what goes wrong."""
    gone = tmp_path / "gone"
    with pytest.raises(FileNotFoundError):
        CSV().started(Started(gone, "", "", {}, 0, 9, 1))
