import json
import logging
import math
import random
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.core.toys import Recorder, ToyDiscriminator, ToyMethod, ToyMetric, experiment, pictures, run

from genlab import (
    CheckpointSaved,
    DataError,
    Ended,
    Listener,
    Previewed,
    Step,
    StorageError,
    TrainingError,
    Validated,
)
from genlab.data.order import draw
from genlab.engine import checkpoint, timing
from genlab.engine.stop_signal import StopSignal


def contents(folder: Path) -> dict[str, torch.Tensor]:
    """Everything in a run's last checkpoint, by file and name."""
    last = max((folder / "checkpoints").glob("[0-9]*"))
    found = {f"{path.name}/{name}": t for path in last.glob("*.safetensors") for name, t in load_file(path).items()}
    state = json.loads((last / "state.json").read_text())
    return {**found, "step": torch.tensor(state["step"])}


def same(one: Path, other: Path) -> bool:
    mine, yours = contents(one), contents(other)
    return mine.keys() == yours.keys() and all(torch.equal(mine[name], yours[name]) for name in mine)


def told(recorder: Recorder) -> list[tuple[str, int]]:
    return [(type(event).__name__, event.step) for event in recorder.events]


class At(Listener):
    """Does something when a step is done."""

    def __init__(self, step: int, action) -> None:
        self.at = step
        self.action = action

    def step(self, event: Step) -> None:
        if event.step == self.at:
            self.action()


@pytest.fixture
def whole(tmp_path) -> Path:
    """The folder of an undisturbed run."""
    run(experiment(), tmp_path / "whole")
    return tmp_path / "whole"


# What listeners hear


def test_the_events_of_a_run_in_order(tmp_path):
    recorder = Recorder()
    tables = {"train": {"steps": 4, "values_every": 1}, "evaluate": {"previews": 2, "validations": 2}}
    ended = run(experiment(recorder, **tables), tmp_path)
    assert told(recorder) == [
        ("Started", 0),
        ("Previewed", 0),
        ("Step", 1),
        ("Step", 2),
        ("Validated", 2),
        ("Previewed", 2),
        ("Step", 3),
        ("Step", 4),
        ("CheckpointSaved", 4),
        ("Validated", 4),
        ("Previewed", 4),
        ("Ended", 4),
    ]
    assert recorder.events[-1] == ended
    assert (ended.status, ended.signal) == ("finished", None)
    assert ended.metrics == recorder.of(Validated)[-1].metrics
    assert set(ended.metrics) == {"validation/distance", "train/distance", "gap/distance"}
    assert recorder.of(CheckpointSaved)[0].folder == tmp_path / "checkpoints" / "00000004"


@pytest.mark.parametrize(("every", "steps"), [(1, [1, 2, 3, 4, 5, 6, 7, 8]), (3, [1, 3, 4, 6, 8]), (10, [1, 4, 8])])
def test_figures_are_read_at_the_first_step_every_so_often_and_with_each_validation(tmp_path, every, steps):
    recorder = Recorder()
    run(experiment(recorder, train={"steps": 8, "values_every": every}), tmp_path)
    assert [event.step for event in recorder.of(Step) if event.values] == steps


def test_the_figures_of_a_step(tmp_path):
    recorder = Recorder()
    run(experiment(recorder, optimizer={"learning_rate": 0.01}), tmp_path)
    for event in recorder.of(Step):
        values, rate = event.values, 0.01 * min(1, (9 - event.step) / 4)
        assert list(values.losses) == ["critic/real", "critic/predicted", "painter/game", "painter/l1"]
        assert values.learning_rates == pytest.approx({"generator": rate, "discriminator": rate})
        assert set(values.gradient_norms) == set(values.weight_norms)
        assert set(values.gradient_norms) == {
            "generator/inner",
            "generator/norm",
            "generator/outer",
            "discriminator/layer",
        }
        assert all(figure > 0 for figure in (*values.gradient_norms.values(), values.images_per_second))


class Flat(ToyDiscriminator):
    """Its weights are in no level."""

    def levels(self):
        return []


def test_a_network_without_levels_has_a_learning_rate_too(tmp_path):
    recorder = Recorder()
    made = experiment(recorder)
    made.networks["discriminator"].__class__ = Flat
    run(made, tmp_path)
    assert set(recorder.of(Step)[0].values.learning_rates) == {"generator", "discriminator"}


def test_time_for_pictures_does_not_count_for_the_rate(tmp_path):
    class Slow(Recorder):
        def previewed(self, event: Previewed) -> None:
            threading.Event().wait(0.5)

    slow = Slow()
    run(experiment(slow, train={"steps": 3, "values_every": 1}, evaluate={"previews": 1}), tmp_path)
    assert min(event.values.images_per_second for event in slow.of(Step)) > 2


def test_a_listener_that_fails_costs_nothing_but_itself(tmp_path, caplog, whole):
    class Failing(Listener):
        def step(self, event: Step) -> None:
            raise RuntimeError("no terminal")

    recorder = Recorder()
    ended = run(experiment(Failing(), recorder), tmp_path / "run")
    assert ended.status == "finished"
    assert len(recorder.of(Step)) == 8
    assert same(tmp_path / "run", whole)
    (record,) = caplog.records
    assert "`listener 1` failed" in record.getMessage()


# What must not change a training


@pytest.mark.parametrize(
    "tables",
    [
        {"evaluate": {"previews": 8, "validations": 8, "preview_pairs": 3}},
        {"evaluate": {"previews": 1, "validations": 1, "pairs": 1}},
        {"inference": {"dropout": True, "seed": 3}},
        {"inference": {"normalization": "running"}},
        {"train": {"steps": 8, "values_every": 3}},
        {"checkpoint": {"minutes": 1e-9, "keep": 3}},
    ],
    ids=str,
)
def test_looking_does_not_change_the_training(tmp_path, whole, tables):
    run(experiment(**tables), tmp_path / "run")
    assert same(tmp_path / "run", whole)


class Drawing(Recorder):
    """Draws random numbers at every event, from every generator there is."""

    def hear(self, event) -> None:
        super().hear(event)
        torch.rand(5), np.random.rand(5), random.random()

    started = step = previewed = validated = checkpoint_saved = ended = hear


class DrawingMetric(ToyMetric):
    """A metric that samples, such as a bootstrap."""

    def update(self, condition, target, prediction) -> None:
        super().update(condition, target, prediction + 0.1 * torch.rand_like(prediction))


def test_listeners_and_metrics_may_draw_random_numbers(tmp_path, whole):
    recorder, again = Recorder(), Recorder()
    for number, (listeners, stops) in enumerate({(Drawing(), recorder): (None,), (again,): (2, 4, None)}.items()):
        for place, stop in enumerate(stops):
            made = experiment(*listeners, evaluate={"validations": 4})
            made.metrics["distance"] = DrawingMetric()
            run(made, tmp_path / str(number), stop_at=stop, resume=place > 0)
        assert same(tmp_path / str(number), whole)
    assert recorder.of(Validated) == again.of(Validated), "and what a metric draws is the same after a resume"


def test_the_same_seed_gives_the_same_run_and_another_another(tmp_path, whole):
    run(experiment(), tmp_path / "again")
    run(experiment(seed=1), tmp_path / "other")
    assert same(tmp_path / "again", whole)
    assert not same(tmp_path / "other", whole)


# Pause and resume


@pytest.mark.parametrize("stops", [(3, 6), (1,), (7,), (5,), (1, 2, 3, 4, 5, 6, 7), (0,), (0, 4)])
def test_a_run_in_parts_ends_as_the_whole(tmp_path, whole, stops):
    ended = run(experiment(), tmp_path / "parts", stop_at=stops[0])
    assert (ended.status, ended.step) == ("paused", stops[0])
    for stop in stops[1:]:
        torch.manual_seed(99)
        assert run(experiment(), tmp_path / "parts", stop_at=stop, resume=True).step == stop
    torch.manual_seed(99)
    assert run(experiment(), tmp_path / "parts", resume=True).status == "finished"
    assert same(tmp_path / "parts", whole)


@pytest.mark.parametrize(
    "tables",
    [
        {"train": {"steps": 8, "batch_size": 2, "values_every": 3}},
        {"optimizer": {"name": "adamw", "weight_decay": 0.1}, "schedule": {"name": "cosine", "start": 0.0}},
        {"input": {"size": (8, 4), "direction": "b_to_a"}, "seed": 7},
    ],
    ids=str,
)
def test_so_does_a_run_of_another_recipe(tmp_path, tables):
    run(experiment(**tables), tmp_path / "whole")
    run(experiment(**tables), tmp_path / "parts", stop_at=3)
    assert run(experiment(**tables), tmp_path / "parts", resume=True).status == "finished"
    assert same(tmp_path / "parts", tmp_path / "whole")


def test_a_resumed_run_tells_from_where_and_shows_no_first_pictures_again(tmp_path):
    recorder = Recorder()
    run(experiment(), tmp_path, stop_at=6)
    run(experiment(recorder, evaluate={"previews": 1, "validations": 1}), tmp_path, resume=True)
    assert told(recorder) == [
        ("Started", 6),
        ("Step", 7),
        ("Step", 8),
        ("CheckpointSaved", 8),
        ("Validated", 8),
        ("Previewed", 8),
        ("Ended", 8),
    ]


def test_a_pause_beyond_the_end_is_the_end(tmp_path):
    ended = run(experiment(), tmp_path, stop_at=100)
    assert (ended.status, ended.step) == ("finished", 8)


def test_checkpoints_by_the_clock(tmp_path, monkeypatch):
    """Each step takes 25 seconds, so three of them are the first to take a minute."""
    recorder, now = Recorder(), [0.0]
    monkeypatch.setattr(timing, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Passing(Listener):
        def step(self, event: Step) -> None:
            now[0] += 25

    run(experiment(Passing(), recorder, checkpoint={"minutes": 1.0, "keep": 2}), tmp_path)
    assert [event.step for event in recorder.of(CheckpointSaved)] == [3, 6, 8]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["00000006", "00000008"]


def test_no_checkpoint_before_its_time(tmp_path):
    recorder = Recorder()
    run(experiment(recorder), tmp_path)
    assert [event.step for event in recorder.of(CheckpointSaved)] == [8]


# Signals


def interrupt(times: int = 1, number: int = signal.SIGINT):
    def send() -> None:
        for _ in range(times):
            signal.raise_signal(number)

    return send


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step_and_it_can_be_resumed(tmp_path, whole, number, caplog):
    before, recorder = signal.getsignal(number), Recorder()
    with caplog.at_level(logging.WARNING, "genlab"):
        ended = run(experiment(At(3, interrupt(number=number)), recorder), tmp_path / "run")
    assert (ended.status, ended.step, ended.signal) == ("interrupted", 3, number)
    assert told(recorder)[-3:] == [("Step", 3), ("CheckpointSaved", 3), ("Ended", 3)]
    assert "Interrupt again to stop at once" in caplog.text
    assert signal.getsignal(number) is before
    assert run(experiment(), tmp_path / "run", resume=True).status == "finished"
    assert same(tmp_path / "run", whole)


def test_a_second_signal_breaks_off_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(StopSignal, "grace", 0)
    before, recorder = signal.getsignal(signal.SIGINT), Recorder()
    with pytest.raises(KeyboardInterrupt):
        run(experiment(At(3, interrupt(2)), recorder, checkpoint={"minutes": 1e9}), tmp_path)
    assert told(recorder)[-2:] == [("Step", 2), ("Ended", 3)]
    assert recorder.of(Ended)[0].status == "interrupted"
    assert not (tmp_path / "checkpoints").exists()
    assert signal.getsignal(signal.SIGINT) is before


class Signaled(ToyMethod):
    """Gets two signals whenever it is saved; before, its state is only looked at."""

    looked_at = 0

    def state(self):
        self.looked_at += 1
        if self.looked_at > 2:
            for number in (signal.SIGHUP, signal.SIGTERM):
                signal.raise_signal(number)
        return super().state()


def test_signals_while_a_checkpoint_is_written_leave_it_whole(tmp_path, whole):
    made = experiment(checkpoint={"minutes": 1e-9}, method=Signaled)
    ended = run(made, tmp_path / "run")
    assert (ended.status, ended.step, ended.signal) == ("interrupted", 1, signal.SIGHUP)
    assert run(experiment(), tmp_path / "run", resume=True).status == "finished"
    assert same(tmp_path / "run", whole)


class Interrupting(ToyMetric):
    """Has the run stopped when it starts to measure for the given time."""

    def __init__(self, time: int) -> None:
        self.left = time + 1
        super().__init__()

    def reset(self) -> None:
        super().reset()
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("time", "step"), [(1, 4), (2, 4), (3, 8), (4, 8)])
def test_a_signal_while_it_validates_gives_the_validation_up(tmp_path, whole, time, step):
    recorder, made = Recorder(), experiment(evaluate={"previews": 2, "validations": 2})
    made.metrics["distance"] = Interrupting(time)
    ended = run(made, tmp_path / "run")
    assert (ended.status, ended.step, ended.signal) == ("interrupted", step, signal.SIGINT)
    undisturbed = Recorder()
    run(experiment(undisturbed), tmp_path / "undisturbed")
    assert run(experiment(recorder), tmp_path / "run", resume=True).status == "finished"
    assert recorder.of(Validated) == undisturbed.of(Validated)[-1 if step == 8 else 0 :], "it is made up for"
    assert same(tmp_path / "run", whole)


def test_what_was_observed_before_a_pause_is_not_observed_again(tmp_path):
    recorder = Recorder()
    for stop, resume in ((4, False), (5, True), (None, True)):
        run(experiment(recorder), tmp_path, stop_at=stop, resume=resume)
    assert [event.step for event in recorder.of(Validated)] == [4, 8]
    assert [event.step for event in recorder.of(Previewed)] == [0, 4, 8]


def test_away_from_the_main_thread_signals_are_left_alone(tmp_path, whole):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    seen = []
    look = At(3, lambda: seen.append([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]))
    thread = threading.Thread(target=run, args=(experiment(look), tmp_path / "run"))
    thread.start()
    thread.join()
    assert seen == [handlers]
    assert same(tmp_path / "run", whole)


# What goes wrong


class SixthStep(ToyMethod):
    """A term is another one at the sixth step."""

    count = 0

    def painter_terms(self, batch, shared):
        terms = super().painter_terms(batch, shared)
        self.count += 1
        if self.count == 6:
            terms["l1"] = type(terms["l1"])(*self.changed(*terms["l1"]))
        return terms


class Diverging(SixthStep):
    """The term becomes infinite, and the weights with it."""

    def changed(self, value, weight):
        return value / torch.zeros(()), weight


def test_a_loss_that_is_no_number_ends_the_training_and_is_named(tmp_path):
    recorder = Recorder()
    made = experiment(recorder, method=Diverging, checkpoint={"minutes": 1e-9})
    with pytest.raises(TrainingError, match="the loss painter/l1 became inf at step 6") as caught:
        run(made, tmp_path)
    assert "optimizer.learning_rate" in caught.value.hint
    assert told(recorder)[-2:] == [("CheckpointSaved", 5), ("Ended", 6)]
    assert recorder.of(Ended)[0].status == "failed"
    assert contents(tmp_path)["step"] == 5
    assert all(tensor.isfinite().all() for tensor in contents(tmp_path).values())


@pytest.mark.parametrize("stop_at", [None, 6, 7])
@pytest.mark.parametrize("minutes", [1e-9, 10.0])
def test_weights_that_are_no_numbers_are_never_saved(tmp_path, minutes, stop_at):
    """Also where no loss was read since they became so."""
    tables = {"train": {"steps": 8, "values_every": 100}, "checkpoint": {"minutes": minutes}}
    tables["evaluate"] = {"validations": 1}
    run(experiment(**tables), tmp_path, stop_at=5)
    made = experiment(method=Diverging, **tables)
    made.method.count = 5
    with pytest.raises(
        TrainingError,
        match=r"at step [678]: the weights of the generator: `\w+\.\w+` and \d+ more|became nan at step 8",
    ):
        run(made, tmp_path, stop_at=stop_at, resume=True)
    assert contents(tmp_path)["step"] == 5
    assert all(tensor.isfinite().all() for tensor in contents(tmp_path).values())


class Overflowing(SixthStep):
    """The square of a gradient becomes infinite; losses and weights stay finite."""

    def changed(self, value, weight):
        return value, weight * 1e25


def assert_diverges(made, folder, told):
    """At the sixth step, so that the checkpoint of the fifth stays, and the run can be resumed from there."""
    with pytest.raises(TrainingError, match=f"not finite at step 6: {told}") as caught:
        run(made, folder)
    assert "gen resume RUN --set optimizer.learning_rate" in caught.value.hint
    assert contents(folder)["step"] == 5
    assert all(tensor.isfinite().all() for tensor in contents(folder).values())
    assert run(experiment(), folder, resume=True).status == "finished"


def test_an_optimizers_state_that_overflowed_is_never_saved(tmp_path):
    made = experiment(method=Overflowing, checkpoint={"minutes": 1e-9})
    assert_diverges(made, tmp_path, "the optimizer state of the generator: `exp_avg_sq/")


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_running_statistic_that_is_no_number_is_never_saved(tmp_path, value):
    spoil = At(6, lambda: made.networks["generator"].norm.running_var.fill_(value))
    made = experiment(spoil, checkpoint={"minutes": 1e-9})
    assert_diverges(made, tmp_path, "the buffers of the generator: `norm.running_var`")


def test_a_network_may_hold_infinities_from_the_start_and_large_numbers(tmp_path):
    """Such as the mask of an attention; and the norm of large weights overflows."""
    made = experiment()
    made.networks["generator"].register_buffer("mask", torch.full((2, 2), -math.inf).triu(1))
    made.networks["generator"].register_buffer("large", torch.full((2,), 3e38))
    assert run(made, tmp_path).status == "finished"


@pytest.mark.parametrize("position", [2, 6])
def test_a_pair_that_cannot_be_read_costs_nothing_that_was_done(tmp_path, position):
    """One is repaired, and the run goes on as if nothing had been."""
    run(experiment(pairs=pictures(10, 12, 12)), tmp_path / "whole")
    broken, recorder = draw(0, position, 10).index, Recorder()
    with pytest.raises(DataError, match="cannot be read") as caught:
        run(experiment(recorder, pairs=pictures(10, 12, 12, broken=[broken]), evaluate={"pairs": 1}), tmp_path / "run")
    assert caught.value.where == f"pair {broken}"
    assert told(recorder)[-2:] == [("CheckpointSaved", position), ("Ended", position)]
    assert recorder.of(Ended)[0].status == "failed"
    assert run(experiment(pairs=pictures(10, 12, 12)), tmp_path / "run", resume=True).status == "finished"
    assert same(tmp_path / "run", tmp_path / "whole")


def test_a_validation_pair_that_cannot_be_read_costs_nothing_either(tmp_path, whole):
    made = experiment(evaluate={"previews": 1, "preview_pairs": 1, "validations": 2})
    made.validation.pairs.broken.add(1)
    with pytest.raises(DataError, match="cannot be read"):
        run(made, tmp_path / "run")
    assert contents(tmp_path / "run")["step"] == 4
    assert run(experiment(), tmp_path / "run", resume=True).status == "finished"
    assert same(tmp_path / "run", whole)


def test_a_full_disk_ends_the_run_with_its_checkpoints_whole(tmp_path, monkeypatch):
    def no_room(*_arguments):
        raise OSError(28, "no room")

    recorder = Recorder()
    fill = At(5, lambda: monkeypatch.setattr(checkpoint, "save_file", no_room))
    with pytest.raises(StorageError, match="the disk is full"):
        run(experiment(fill, recorder, checkpoint={"minutes": 1e-9}), tmp_path)
    assert told(recorder)[-2:] == [("Step", 5), ("Ended", 5)]
    assert recorder.of(Ended)[0].status == "failed"
    assert contents(tmp_path)["step"] == 4


@pytest.mark.parametrize("method", [Diverging, ToyMethod])
def test_no_reading_thread_outlives_the_run(tmp_path, method):
    try:
        run(experiment(method=method), tmp_path)
    except TrainingError as error:
        kept = error  # with its traceback, and all that hangs on it
        assert kept.__traceback__
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("genlab-pairs")]
