"""The best validation: its direction, ties and NaN, its checkpoint among those that rotate, and patience."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.checkpoints import tensor_digests
from tests.core.toys import Recorder, ToyMetric, experiment, run

from genlab import BestValidation, EarlyEnd, Listener, Metric, Started, Step, Validated
from genlab.engine.best import after_validation, best_so_far, out_of_patience
from genlab.engine.checkpoint_files import checkpoints
from genlab.engine.checkpoint_state import read_progress

NAN = math.nan


class Higher(ToyMetric):
    higher_is_better: ClassVar[bool] = True


def best_of(values: list[float], metric: Metric) -> BestValidation:
    best = best_so_far("validation/a/b", None)
    assert best is not None
    for step, value in enumerate(values, start=1):
        best = after_validation(best, step, {"validation/a/b": value, "validation/a": 99.0}, {"a": metric})
    return best


@pytest.mark.parametrize(
    ("values", "lower", "higher"),
    [
        ([3.0, 1.0, 2.0], 2, 1),
        ([2.0, 2.0, 2.0], 1, 1),
        ([NAN, 2.0, NAN, 1.0], 4, 2),
        ([NAN, NAN], 0, 0),
        ([math.inf, 5.0, -math.inf], 3, 1),
        ([1.0, NAN, 1.0], 1, 1),
    ],
    ids=str,
)
def test_the_step_of_the_best_value(values: list[float], lower: int, higher: int) -> None:
    for metric, step in ((ToyMetric(), lower), (Higher(), higher)):
        best = best_of(values, metric)
        assert (best.step, best.since) == (step, len(values) - step)
        assert best.is_found == (step > 0)
        assert best.value == values[step - 1] if step else math.isnan(best.value)


def test_a_score_of_several_has_the_direction_of_its_metric() -> None:
    assert best_of([1.0, 2.0], Higher()).step == 2


def test_another_score_begins_anew() -> None:
    known = BestValidation("validation/l1", 4, 0.5, 2)
    assert best_so_far("validation/l1", known) == known
    assert best_so_far(None, known) is None
    begun = best_so_far("validation/ssim", known)
    assert begun is not None
    assert (begun.score, begun.step, begun.since) == ("validation/ssim", 0, 0)


def test_patience_counts_validations_and_says_what_was_not_reached() -> None:
    assert out_of_patience(BestValidation("validation/l1", 4, 0.5, 2), 3) is None
    assert out_of_patience(BestValidation("validation/l1", 4, 0.5, 9), None) is None
    assert out_of_patience(None, 1) is None
    end = out_of_patience(BestValidation("validation/l1", 4, 0.5, 3), 3)
    assert end == EarlyEnd(
        "train.patience", "by validation/l1, the last 3 validations were not better than 0.5 at step 4"
    )
    never = out_of_patience(BestValidation("validation/l1", since=1), 1)
    assert never is not None
    assert "not a number" in never.reason


class Told(ToyMetric):
    """Gives the value that it was told."""

    value = NAN

    def compute(self) -> float:
        return self.value


class Teller(Listener):
    """Tells a metric its value of each step."""

    def __init__(self, metric: Told, values: dict[int, float]) -> None:
        self.metric, self.values = metric, values

    def started(self, event: Started) -> None:
        self.metric.value = self.values.get(event.step, NAN)

    def step(self, event: Step) -> None:
        self.metric.value = self.values[event.step]


def trained(folder: Path, values: dict[int, float], *, pauses: tuple[int, ...] = (), **tables: Any) -> Recorder:
    """Train a toy whose validation at each step gives a value, paused and resumed after some steps."""
    recorder = Recorder()
    train = {"steps": 8, **tables.get("train", {})}
    checkpoint = {"keep": 1, "best": "validation/distance", **tables.get("checkpoint", {})}
    for number, stop_at in enumerate([*pauses, None]):
        metric = Told()
        listeners = Teller(metric, values), recorder
        made = experiment(
            *listeners,
            train=train,
            evaluate={"validations": 8, "pairs": 1, "previews": 1, "preview_pairs": 1},
            checkpoint=checkpoint,
        )
        made = replace(made, metrics={"distance": metric})
        run(made, folder, stop_at=stop_at, resume=number > 0)
    return recorder


def steps_of(folder: Path) -> list[int]:
    return [int(path.name) for path in checkpoints(folder / "checkpoints")]


FALLING_THEN_RISING = dict(enumerate([0.9, 0.5, 0.7, 0.5, 0.8, 0.6, 0.9, 0.55], start=1))


@pytest.mark.parametrize("pauses", [(1,), (1, 2, 3, 4, 5, 6, 7)], ids=str)
def test_the_best_stays_while_later_ones_rotate(tmp_path: Path, pauses: tuple[int, ...]) -> None:
    recorder = trained(tmp_path / "run", FALLING_THEN_RISING, pauses=pauses)
    assert steps_of(tmp_path / "run") == [2, 8]
    assert recorder.of(Validated)[-1].best == BestValidation("validation/distance", 2, 0.5, 6)
    trained(tmp_path / "whole", FALLING_THEN_RISING)
    assert tensor_digests(tmp_path / "run") == tensor_digests(tmp_path / "whole")
    assert read_progress(checkpoints(tmp_path / "run" / "checkpoints")[0]).metrics["validation/distance"] == 0.5


def test_without_a_best_only_the_last_ones_stay(tmp_path: Path) -> None:
    trained(tmp_path / "run", FALLING_THEN_RISING, checkpoint={"best": None, "keep": 1})
    assert steps_of(tmp_path / "run") == [8]


def test_a_best_among_the_last_takes_no_place_of_its_own(tmp_path: Path) -> None:
    trained(tmp_path / "run", FALLING_THEN_RISING | {8: 0.1}, checkpoint={"keep": 2, "minutes": 1e-9})
    assert steps_of(tmp_path / "run") == [7, 8]


@pytest.mark.parametrize("pauses", [(), (3,), (5,), (2, 4, 5)], ids=str)
def test_patience_ends_at_the_same_step_with_and_without_pauses(tmp_path: Path, pauses: tuple[int, ...]) -> None:
    recorder = trained(tmp_path / "run", FALLING_THEN_RISING, pauses=pauses, train={"patience": 3})
    ended = recorder.events[-1]
    assert (ended.step, ended.status) == (5, "finished")
    assert ended.ended_early.by == "train.patience"
    assert ended.best == BestValidation("validation/distance", 2, 0.5, 3)
    assert steps_of(tmp_path / "run") == [2, 5]
    state = json.loads((tmp_path / "run" / "checkpoints" / "00000005" / "state.json").read_text())
    assert (state["validated"], state["previewed"], state["stop"]) == (True, True, None)


def test_values_that_are_no_numbers_use_up_patience(tmp_path: Path) -> None:
    recorder = trained(tmp_path / "run", dict.fromkeys(range(1, 9), NAN), train={"patience": 2})
    ended = recorder.events[-1]
    assert (ended.step, ended.status, ended.best.is_found) == (2, "finished", False)
    assert steps_of(tmp_path / "run") == [2]


def test_patience_that_runs_out_at_the_last_step_is_no_early_end(tmp_path: Path) -> None:
    recorder = trained(tmp_path / "run", FALLING_THEN_RISING, train={"patience": 6})
    assert (recorder.events[-1].step, recorder.events[-1].ended_early) == (8, None)


def test_a_run_that_ended_early_is_over_when_it_is_resumed(tmp_path: Path) -> None:
    """As if its process had been killed between its last checkpoint and its last event."""
    recorder = trained(tmp_path / "run", FALLING_THEN_RISING, pauses=(5, 5), train={"patience": 3})
    assert [event.step for event in recorder.of(Validated)] == [1, 2, 3, 4, 5]
    assert (recorder.events[-1].step, recorder.events[-1].status) == (5, "finished")
