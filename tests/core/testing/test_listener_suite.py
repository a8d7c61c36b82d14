"""The listeners' suite finds what is planted, and lets sound listeners through."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.core.testing.conftest import Planted, failures, require_found, unproven

from genlab import (
    CheckpointSaved,
    Compared,
    Ended,
    Listener,
    Previewed,
    Probed,
    Started,
    Step,
    StopTraining,
    Validated,
)
from genlab.testing import ListenerSuite, Recorder


class NoHelp(Recorder):
    """Does not say what its setting is for."""

    def __init__(self, *, every: int = 10) -> None:
        super().__init__()


class Named(Recorder):
    """Has a name."""

    def __init__(self, *, name: str = "mine") -> None:
        super().__init__()


class Table(Listener):
    """Sound: writes figures to a file in the run's folder."""

    def started(self, event: Started) -> None:
        self.file = event.folder / "figures.txt"
        self.write(f"{event.title} {event.step}")

    def step(self, event: Step) -> None:
        if event.values:
            self.write(f"{event.step} {dict(event.values.losses)}")

    def validated(self, event: Validated) -> None:
        self.write(f"{event.step} {dict(event.metrics)}")

    def ended(self, event: Ended) -> None:
        self.write(event.status)

    def write(self, line: str) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


# What goes wrong in a run


class Insisting(Table):
    """Takes it for granted that every step has figures."""

    def step(self, event: Step) -> None:
        assert event.values is not None
        super().step(event)


class FileOfAKey(Table):
    """Writes a file for each pair, whose key may have folders in it."""

    def previewed(self, event: Previewed) -> None:
        for key in event.pictures.keys:
            (self.file.parent / key).write_bytes(b"")


class OneByte(Table):
    """Writes titles as if all were English."""

    def write(self, line: str) -> None:
        with self.file.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")


class PerStep(Table):
    """Divides by the step, the first of which is 0."""

    def previewed(self, event: Previewed) -> None:
        self.write(f"{100 / event.step}")


class Quitting(Table):
    """Ends the process when the run is over."""

    def ended(self, event: Ended) -> None:
        sys.exit()


# When a run goes on


class NewFolder(Table):
    """Makes its folder."""

    def started(self, event: Started) -> None:
        (event.folder / "mine").mkdir()
        super().started(event)


class TwoEndings(Table):
    """Knows of runs that finish or fail."""

    def ended(self, event: Ended) -> None:
        self.write({"finished": "done", "failed": "not done"}[event.status])


class Forward(Listener):
    """Takes it for granted that a run goes on where its file ends."""

    def started(self, event: Started) -> None:
        self.file = event.folder / "steps.txt"
        steps = self.file.read_text().split() if self.file.exists() else []
        assert len(steps) <= event.step, f"{len(steps)} steps are there already"

    def step(self, event: Step) -> None:
        with self.file.open("a") as file:
            file.write(f"{event.step}\n")


# What figures may be


class Rounding(Table):
    """Writes whole percents."""

    def validated(self, event: Validated) -> None:
        self.write(str(int(100 * event.metrics.get("validation/l1", 0.0))))


class StrictJSON(Table):
    """Writes JSON, which has no word for what is no number."""

    def step(self, event: Step) -> None:
        if event.values:
            self.write(json.dumps(dict(event.values.losses), allow_nan=False))


class Bars(Table):
    """Draws a bar as long as a loss."""

    def step(self, event: Step) -> None:
        if event.values:
            self.write("#" * math.ceil(event.values.losses["generator/l1"]))


class FirstMetric(Table):
    """Shows the first metric, of which there may be none."""

    def validated(self, event: Validated) -> None:
        self.write(next(iter(event.metrics)))


# How a run may end


class Pace(Table):
    """Says how long a step took."""

    def ended(self, event: Ended) -> None:
        self.write(f"{event.seconds / event.step} s a step")


class LastFigure(Table):
    """Says how good it was in the end, though the end may come before any validation."""

    def ended(self, event: Ended) -> None:
        self.write(f"{event.metrics.get('validation/l1', 0)}" if event.status == "finished" else "")
        if event.status == "failed":
            self.write(f"{event.metrics['validation/l1']}")


# What comes without a start


class StartedBefore(Table):
    """Writes what is compared to where a run is."""

    def compared(self, event: Compared) -> None:
        self.write(", ".join(event.metrics))


class BestOfAll(Recorder):
    """Takes the last step of each curve, though a metric may have none."""

    def compared(self, event: Compared) -> None:
        for arms in event.curves.values():
            self.events.append(max(arms["skips"]))


class Percent(Recorder):
    """Compares with the weights' norm, which may be 0."""

    def probed(self, event: Probed) -> None:
        for level, norm in event.gradient_norms.items():
            self.events.append(norm / event.weight_norms[level])


# Two runs in one process


class OneFolderForAll(Table):
    """Has its folder in the class, where the next run finds its own."""

    def started(self, event: Started) -> None:
        type(self).file = event.folder / "figures.txt"
        self.write(f"{event.title} {event.step}")


class OneListForAll(Recorder):
    """Gathers all in the class, and writes it when the run ends."""

    lines: ClassVar[list[str]] = []

    def started(self, event: Started) -> None:
        self.folder = event.folder

    def step(self, event: Step) -> None:
        self.lines.append(str(event.step))

    def ended(self, event: Ended) -> None:
        (self.folder / "figures.txt").write_text("\n".join(self.lines))
        self.lines.clear()


# Where it writes


class LogOfItsOwn(Recorder):
    """Opens a file where the process is, when it is made."""

    def __init__(self) -> None:
        super().__init__()
        Path("mine.log").touch()


class BesideTheRun(Table):
    """Writes beside the run's folder."""

    def started(self, event: Started) -> None:
        self.file = event.folder.with_suffix(".txt")


class WhereItIs(Recorder):
    """Writes what is compared to where the process is."""

    def compared(self, event: Compared) -> None:
        Path("comparison.txt").write_text(", ".join(event.metrics))


# What it carries from step to step, and what it asks for


class Flag(Table):
    """Says that it is done, and not what is to be done."""

    def step(self, event: Step) -> Any:
        return event.step > 3


class Tuples(Table):
    """Keeps pairs, which JSON has as lists."""

    def state(self) -> Mapping[str, Any]:
        return {"range": (0, 1)}


class Counting(Table):
    """Sound: counts steps over all parts of a training, and ends it."""

    count = 0

    def step(self, event: Step) -> StopTraining | None:
        self.count += 1
        return StopTraining("that is enough") if self.count > 6 else None

    def state(self) -> Mapping[str, Any]:
        return {"count": self.count, "nothing": math.nan}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.count = state["count"]


class Deaf(Counting):
    """Keeps its count, and never takes it back."""

    def load_state(self, state: Mapping[str, Any]) -> None: ...


class Misspelt(Counting):
    """Takes it back by another name."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.count = state["counts"]


# What becomes of events


class TakingOut(Table):
    """Takes out what it does not want to show."""

    def validated(self, event: Validated) -> None:
        event.metrics.pop("gap/l1", None)
        super().validated(event)


class Darkening(Recorder):
    """Darkens pictures where they lie."""

    def previewed(self, event: Previewed) -> None:
        np.right_shift(event.pictures.prediction, 1, out=event.pictures.prediction)


_RUN = "test_it_survives_a_run"
_RESUME = "test_it_survives_a_resume"
_FIGURES = "test_it_survives_figures_that_are_no_numbers"
_EARLY = "test_it_survives_an_early_end"
_OTHERS = "test_it_survives_an_ablation_and_a_probe"
_TWO = "test_two_runs_at_once_are_kept_apart"
_KEEPS = "test_it_keeps_to_the_folder"
_EVENTS = "test_events_are_left_alone"
_STATE = "test_its_state_is_restored"

PLANTED = [
    Planted(Named, "test_a_recipe_can_name_it", "its setting `name` collides with the framework's reserved key"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `every` under `Args:`"),
    Planted(Insisting, _RUN, "for Step it raises AssertionError"),
    Planted(FileOfAKey, _RUN, "for Previewed it raises FileNotFoundError"),
    Planted(OneByte, _RUN, "for Started it raises UnicodeEncodeError"),
    Planted(PerStep, _RUN, "for Previewed it raises ZeroDivisionError"),
    Planted(Quitting, _RUN, "for Ended it raises SystemExit"),
    Planted(NewFolder, _RESUME, "for Started it raises FileExistsError"),
    Planted(TwoEndings, _RESUME, "for Ended it raises KeyError: 'paused'"),
    Planted(Forward, f"{_RESUME}_from_before", "for Started it raises AssertionError: 6 steps are there already"),
    Planted(Rounding, _FIGURES, "for Validated it raises ValueError: cannot convert float NaN to integer"),
    Planted(StrictJSON, _FIGURES, "for Step it raises ValueError"),
    Planted(Bars, _FIGURES, "for Step it raises ValueError: cannot convert float NaN to integer"),
    Planted(FirstMetric, "test_it_survives_a_run_without_metrics", "for Validated it raises StopIteration"),
    Planted(Pace, _EARLY, "for Ended it raises ZeroDivisionError"),
    Planted(LastFigure, _EARLY, "for Ended it raises KeyError: 'validation/l1'"),
    Planted(StartedBefore, _OTHERS, "for Compared it raises AttributeError"),
    Planted(BestOfAll, _OTHERS, "for Compared it raises KeyError"),
    Planted(Percent, _OTHERS, "for Probed it raises ZeroDivisionError"),
    Planted(OneFolderForAll, _TWO, "of two runs at once, it writes"),
    Planted(OneListForAll, _TWO, "of two runs at once, it writes"),
    Planted(LogOfItsOwn, _KEEPS, "it writes outside the run's folder: mine.log"),
    Planted(BesideTheRun, _KEEPS, "it writes outside the run's folder: façades [v2] run 0.txt"),
    Planted(WhereItIs, _KEEPS, "it writes outside the run's folder: comparison.txt"),
    Planted(Flag, _RUN, "for Step it raises PluginError: its step() gave False"),
    Planted(Tuples, _STATE, "its state() is not made of JSON values"),
    Planted(Deaf, _STATE, 'after load_state its state is {"count": 0, "nothing": NaN}, and it was {"count": 5'),
    Planted(Misspelt, _STATE, "for load_state it raises KeyError"),
    Planted(TakingOut, _EVENTS, "it modifies Validated, which other listeners receive too"),
    Planted(Darkening, _EVENTS, "it modifies Previewed, which other listeners receive too"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(ListenerSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(ListenerSuite, PLANTED) == set()


# Sound listeners


class Silent(Listener):
    """Hears nothing."""


class Everything(Table):
    """Writes all that it hears of."""

    def previewed(self, event: Previewed) -> None:
        self.write(", ".join(event.pictures.keys))

    def checkpoint_saved(self, event: CheckpointSaved) -> None:
        self.write(event.folder.name)

    def compared(self, event: Compared) -> None:
        self.note(event.folder, event.metrics)

    def probed(self, event: Probed) -> None:
        self.note(event.folder, [str(effect.level) for effect in event.effects])

    def note(self, folder: Path, words: Sequence[Any]) -> None:
        (folder / "note.txt").write_text(", ".join(words), encoding="utf-8")


@pytest.mark.parametrize("listener", [Recorder, Silent, Table, Everything, Counting])
def test_a_sound_one_passes(listener: type[Listener]) -> None:
    assert failures(ListenerSuite, listener) == {}
