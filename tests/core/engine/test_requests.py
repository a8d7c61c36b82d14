"""What listeners and methods ask of a training, and the states of listeners in its checkpoints."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.checkpoints import tensor_digests
from tests.core.toys import Recorder, ToyMethod, experiment, run

from genlab import (
    CheckpointSaved,
    Listener,
    PluginError,
    Previewed,
    SaveCheckpoint,
    Started,
    Step,
    StopTraining,
    Validated,
)
from genlab.engine.checkpoint_files import checkpoints
from genlab.engine.checkpoint_state import read_progress
from genlab.engine.listener_list import ListenerList

STOP, SAVE = StopTraining("it is flat"), SaveCheckpoint()


class Asking(Recorder):
    """Asks for something at a step, or at the validation of a step."""

    def __init__(self, request: object, *, step: int = 0, validation: int = 0) -> None:
        super().__init__()
        self.request, self.at_step, self.at_validation = request, step, validation

    def step(self, event: Step) -> Any:
        self.hear(event)
        return self.request if event.step == self.at_step else None

    def validated(self, event: Validated) -> Any:
        self.hear(event)
        return self.request if event.step == self.at_validation else None


def steps_of(folder: Path) -> list[int]:
    return [int(path.name) for path in checkpoints(folder / "checkpoints")]


def last_progress(folder: Path):
    return read_progress(checkpoints(folder / "checkpoints")[-1])


def of(recorder: Recorder, kind: type) -> list[int]:
    return [event.step for event in recorder.of(kind)]


# Requests


@pytest.mark.parametrize("at", [{"step": 3}, {"step": 4}, {"validation": 4}], ids=str)
def test_a_stop_ends_at_its_step_validated_and_with_pictures(tmp_path: Path, at: dict[str, int]) -> None:
    listener = Asking(STOP, **at)
    ended = run(experiment(listener), tmp_path)
    (step,) = at.values()
    assert (ended.step, ended.status) == (step, "finished")
    assert ended.ended_early is not None
    assert (ended.ended_early.by, ended.ended_early.reason) == ('listeners."listener 1"', "it is flat")
    assert of(listener, Validated)[-1] == of(listener, Previewed)[-1] == steps_of(tmp_path)[-1] == step
    assert ended.metrics


@pytest.mark.parametrize("at", [{"step": 3}, {"step": 4}, {"validation": 4}], ids=str)
def test_a_save_is_made_at_its_step_and_the_training_goes_on(tmp_path: Path, at: dict[str, int]) -> None:
    listener = Asking(SAVE, **at)
    ended = run(experiment(listener), tmp_path)
    assert of(listener, CheckpointSaved) == [*at.values(), 8]
    assert (ended.step, ended.ended_early) == (8, None)
    progress = read_progress(checkpoints(tmp_path / "checkpoints")[0])
    assert (progress.step, progress.validated, progress.previewed) == (*at.values(), True, True)
    run(experiment(), tmp_path / "whole")
    assert tensor_digests(tmp_path) == tensor_digests(tmp_path / "whole")


def test_a_stop_at_the_last_step_is_no_early_end(tmp_path: Path) -> None:
    ended = run(experiment(Asking(STOP, step=8)), tmp_path)
    assert (ended.step, ended.status, ended.ended_early) == (8, "finished", None)


def test_of_two_stops_the_first_counts(tmp_path: Path) -> None:
    others = Asking(StopTraining("first"), step=3), Asking(StopTraining("second"), step=3)
    ended = run(experiment(*others), tmp_path)
    assert ended.ended_early is not None
    assert ended.ended_early.reason == "first"


class Asks(ToyMethod):
    """A method that has seen enough after three steps, and saves after two."""

    def begin(self, position) -> None:
        self.position = position

    def request(self) -> Any:
        return {1: SAVE, 2: StopTraining("enough\x1b[2J\nof it" + "!" * 1000)}.get(self.position.step)


def test_a_method_may_ask_too(tmp_path: Path) -> None:
    ended = run(experiment(method=Asks), tmp_path)
    assert ended.step == 3
    assert ended.ended_early is not None
    assert ended.ended_early.by == "method"
    assert ended.ended_early.reason.startswith("enough")
    assert ended.ended_early.reason.isprintable()
    assert len(ended.ended_early.reason) <= 310
    assert steps_of(tmp_path) == [2, 3]


def test_a_method_that_asks_for_something_else_is_an_error(tmp_path: Path) -> None:
    class Wrong(ToyMethod):
        def request(self) -> Any:
            return True

    with pytest.raises(PluginError, match=r"request\(\) of Wrong gave True; expected None, genlab.StopTraining"):
        run(experiment(method=Wrong), tmp_path)


@pytest.mark.parametrize("asked", [True, "stop", StopTraining, StopTraining(3), StopTraining(" ")], ids=str)  # type: ignore
def test_a_listener_that_asks_for_something_else_is_switched_off(caplog, asked: object) -> None:
    listener = Asking(asked, step=3)
    listeners = ListenerList([("mine", listener)])
    assert [listeners.emit(Step(step, None)) for step in range(1, 5)] == [[]] * 4
    assert "`mine` failed and is switched off" in caplog.text
    assert "its step() gave" in caplog.text
    assert of(listener, Step) == [1, 2, 3]


def test_a_stop_that_a_signal_overtakes_is_kept_for_the_resume(tmp_path: Path) -> None:
    """The signal postpones the validation of the last step, and the resume makes it and ends."""

    class Interrupting(Recorder):
        def step(self, event: Step) -> None:
            if event.step == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    ended = run(experiment(Interrupting(), Asking(STOP, step=3)), tmp_path)
    assert (ended.step, ended.status, ended.ended_early) == (3, "interrupted", None)
    assert not last_progress(tmp_path).validated
    resumed = Recorder()
    ended = run(experiment(resumed), tmp_path, resume=True)
    assert (ended.step, ended.status) == (3, "finished")
    assert ended.ended_early is not None
    assert of(resumed, Validated) == [3]
    assert of(resumed, Step) == []


# States


class Counting(Listener):
    """Counts steps, validations and pictures over a whole training, and ends it after some steps."""

    def __init__(self, most: int = 99) -> None:
        self.most = most
        self.counts = {"step": 0, "validated": 0, "previewed": 0}
        self.calls: list[str] = []

    def started(self, event: Started) -> None:
        self.calls.append("started")

    def count(self, name: str) -> StopTraining | None:
        self.counts[name] += 1
        return StopTraining(f"{self.most} steps") if self.counts["step"] == self.most else None

    def step(self, event: Step) -> StopTraining | None:
        return self.count("step")

    def validated(self, event: Validated) -> StopTraining | None:
        return self.count("validated")

    def previewed(self, event: Previewed) -> None:
        self.count("previewed")

    def state(self) -> Mapping[str, Any]:
        return {"counts": self.counts, "more": [math.inf, None, "façade"]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        assert state["more"] == [math.inf, None, "façade"]
        self.counts = dict(state["counts"])
        self.calls.append("load_state")


@pytest.mark.parametrize("pauses", [(3,), (1, 4, 5)], ids=str)
def test_a_state_is_that_of_a_training_without_pauses(tmp_path: Path, pauses: tuple[int, ...]) -> None:
    run(experiment(Counting()), tmp_path / "whole")
    for number, stop_at in enumerate([*pauses, None]):
        listener = Counting()
        run(experiment(listener), tmp_path / "run", stop_at=stop_at, resume=number > 0)
        assert listener.calls == ["started", "load_state"][: 1 + bool(number)]
    whole, parts = (last_progress(tmp_path / name).listeners for name in ("whole", "run"))
    assert whole == parts
    assert whole["listener 1"].values["counts"] == {"step": 8, "validated": 2, "previewed": 3}


def test_what_a_state_decides_comes_at_the_same_step(tmp_path: Path) -> None:
    for stop_at, resume in ((2, False), (4, True), (None, True)):
        ended = run(experiment(Counting(most=6)), tmp_path, stop_at=stop_at, resume=resume)
    assert (ended.step, ended.status) == (6, "finished")


def other_class() -> Listener:
    class Other(Counting):
        pass

    return Other()


@pytest.mark.parametrize(("make", "words"), [(None, "the run no longer has"), (other_class, "no longer has")])
def test_of_a_removed_renamed_or_other_listener_the_state_is_left(tmp_path: Path, caplog, make, words: str) -> None:
    run(experiment(Recorder(), Counting()), tmp_path, stop_at=3)
    listeners = [Counting(), *([make()] if make else [])]  # "listener 1" and "listener 2"
    ended = run(experiment(*listeners), tmp_path, resume=True)
    assert ended.step == 8
    assert [listener.calls for listener in listeners] == [["started"]] * len(listeners)
    assert "`listener 2` (Counting)" in caplog.text
    assert "which the run no longer has; it is left" in caplog.text
    assert last_progress(tmp_path).listeners["listener 1"].values["counts"]["step"] == 5


@pytest.mark.parametrize(
    "state",
    [{"a": (1, 2)}, {"a": {1: 2}}, [1], {"a": object()}, {"a": "x" * 2**20}, {"a": "\ud800"}, None],
    ids=["tuple", "integer key", "list", "object", "too large", "surrogate", "none"],
)
def test_a_state_that_cannot_be_kept_switches_its_listener_off(caplog, state: object) -> None:
    class Bad(Recorder):
        def state(self) -> Any:
            return state

    listeners = ListenerList([("bad", Bad()), ("sound", Counting())])
    assert set(listeners.states()) == set(listeners.states()) == {"sound"}
    (record,) = caplog.records
    assert "The listener `bad` failed and is switched off; the run continues." in record.getMessage()


def test_a_listener_that_cannot_take_its_state_is_switched_off(tmp_path: Path, caplog) -> None:
    class Forgetful(Counting):
        def load_state(self, state: Mapping[str, Any]) -> None:
            raise KeyError("counts")

    run(experiment(Forgetful()), tmp_path, stop_at=3)
    ended = run(experiment(Forgetful()), tmp_path, resume=True)
    assert ended.status == "finished"
    assert "`listener 1` failed and is switched off" in caplog.text


def test_a_checkpoint_from_before_there_were_states_is_resumed(tmp_path: Path) -> None:
    run(experiment(), tmp_path, stop_at=3)
    file = checkpoints(tmp_path / "checkpoints")[-1] / "state.json"
    values = json.loads(file.read_text())
    for name in ("sha256", "best", "stop", "listeners"):
        del values[name]
    file.write_text(json.dumps(values))
    listener = Counting()
    assert run(experiment(listener), tmp_path, resume=True).status == "finished"
    assert listener.counts["step"] == 5


def test_requests_come_with_the_labels_of_who_asks() -> None:
    asking = ListenerList([("one", Recorder()), ("two", Asking(STOP, step=1)), ("three", Asking(SAVE, step=1))])
    assert asking.emit(Step(1, None)) == [("two", STOP), ("three", SAVE)]
    assert asking.emit(Step(2, None)) == []
