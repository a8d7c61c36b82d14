import logging
from pathlib import Path

import numpy as np
import pytest
from tests.core.toys import Recorder

from genlab import CheckpointSaved, Ended, Listener, Pictures, Previewed, Started, Step, Validated
from genlab.engine.listener_list import ListenerList

NOTHING = np.zeros((0, 8, 8, 3), np.uint8)
EVENTS = [
    Started(Path("run"), "Toy", "", {}, 0, 8, 1),
    Previewed(0, Pictures((), NOTHING, NOTHING, NOTHING)),
    Step(1, None),
    Validated(8, {}),
    CheckpointSaved(8, Path("run")),
    Ended(8, "finished", 1.0),
]


class Broken(Recorder):
    """Fails at its second event, whatever that is."""

    def hear(self, event):
        super().hear(event)
        if len(self.events) == 2:
            raise OSError("no space left")

    started = step = previewed = validated = checkpoint_saved = ended = hear


def tell_all(*listeners: Listener) -> None:
    listeners = ListenerList([(f"number {place}", listener) for place, listener in enumerate(listeners)])
    for event in EVENTS:
        listeners.emit(event)


class ByName(Listener):
    def __init__(self) -> None:
        self.heard = []

    def started(self, event):
        self.heard.append(("started", event))

    def step(self, event):
        self.heard.append(("step", event))

    def previewed(self, event):
        self.heard.append(("previewed", event))

    def validated(self, event):
        self.heard.append(("validated", event))

    def checkpoint_saved(self, event):
        self.heard.append(("checkpoint_saved", event))

    def ended(self, event):
        self.heard.append(("ended", event))


def test_every_event_comes_to_its_method():
    listener = ByName()
    tell_all(listener)
    names = ["started", "previewed", "step", "validated", "checkpoint_saved", "ended"]
    assert listener.heard == list(zip(names, EVENTS, strict=True))


def test_a_listener_may_leave_out_every_method():
    tell_all(Listener())


def test_a_failing_listener_is_reported_once_and_hears_no_more(caplog):
    broken = Broken()
    with caplog.at_level(logging.WARNING, "genlab"):
        tell_all(Recorder(), broken)
    (record,) = caplog.records
    assert record.name == "genlab"
    assert record.getMessage().startswith("The listener `number 1` failed and is switched off")
    assert record.getMessage().endswith("OSError: no space left (test_listener_list.py, line 28)")
    assert broken.events == EVENTS[:2]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_others_hear_everything(place, caplog):
    listeners: list[Recorder] = [Recorder(), Recorder(), Recorder()]
    listeners[place] = Broken()
    tell_all(*listeners)
    for listener in listeners:
        assert listener.events == (EVENTS[:2] if isinstance(listener, Broken) else EVENTS)
    assert len(caplog.records) == 1


def test_several_that_fail_are_all_reported(caplog):
    whole = Recorder()
    tell_all(Broken(), whole, Broken())
    assert [record.getMessage().split("`")[1] for record in caplog.records] == ["number 0", "number 2"]
    assert whole.events == EVENTS


def test_the_users_second_ctrl_c_is_nothing_a_listener_may_swallow():
    class Interrupted(Listener):
        def started(self, event):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell_all(Interrupted())
