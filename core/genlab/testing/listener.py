"""Conformance tests of listeners (callbacks)."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Generator, Iterable
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from genlab.engine.listener_list import Event, checked_state, dispatch
from genlab.errors import PluginError
from genlab.interfaces.listener import Listener
from genlab.testing import event_scripts
from genlab.testing.suite import ConformanceError, Suite, require


class ListenerSuite(Suite):
    """A listener's part of the contract: whatever happens to a run, it raises nothing and keeps to its folder."""

    kind = "listener"

    def listener(self) -> Listener:
        """A new listener with the suite's settings."""
        return self.construct()

    def test_it_survives_a_run(self) -> None:
        """A run from its start to its end."""
        with _folders() as (folder,):
            _tell(self.listener(), event_scripts.run_events(folder))

    def test_it_survives_a_resume(self) -> None:
        """A run that is paused after an odd number of steps, and resumed in another process."""
        with _folders() as (folder,):
            _tell(self.listener(), event_scripts.run_events(folder, last=5, status="paused"))
            _tell(self.listener(), event_scripts.run_events(folder, first=5))

    def test_it_survives_a_resume_from_before(self) -> None:
        """An interrupted run is resumed from a checkpoint before its last events."""
        with _folders() as (folder,):
            _tell(self.listener(), event_scripts.run_events(folder, last=6)[:-2])
            _tell(self.listener(), event_scripts.run_events(folder, first=3))

    def test_it_survives_figures_that_are_no_numbers(self) -> None:
        """A metric may be NaN, and a loss on its way to infinity."""
        for figure in (math.nan, math.inf, -math.inf):
            with _folders() as (folder,):
                _tell(self.listener(), event_scripts.run_events(folder, figure=figure))

    def test_it_survives_a_run_without_metrics(self) -> None:
        """A recipe need not have any."""
        with _folders() as (folder,):
            _tell(self.listener(), event_scripts.run_events(folder, with_metrics=False))

    def test_its_state_is_restored(self) -> None:
        """Its state is of JSON values, and another one that takes it has the same."""
        with _folders() as (folder,):
            before, resumed = self.listener(), self.listener()
            _tell(before, event_scripts.run_events(folder, last=5)[:-2])
            kept = _state(before)
            _tell(resumed, [event_scripts.started(folder, 5)])
            try:
                resumed.load_state(json.loads(kept))
            except (Exception, SystemExit) as error:
                what = f"for load_state it raises {type(error).__name__}: {error}"
                raise ConformanceError(what) from error
            restored = _state(resumed)
        require(restored == kept, f"after load_state its state is {restored}, and it was {kept}")

    def test_it_survives_an_early_end(self) -> None:
        """A run that fails or is interrupted before its first step."""
        for status in ("failed", "interrupted"):
            with _folders() as (folder,):
                _tell(self.listener(), event_scripts.tail(event_scripts.run_events(folder, last=0, status=status)))

    def test_it_survives_an_ablation_and_a_probe(self) -> None:
        """Both come without a start, an ablation twice if it is called again."""
        with _folders() as (folder,):
            for events in (
                event_scripts.ablation_events(folder),
                event_scripts.ablation_events(folder),
                event_scripts.probe_events(folder),
            ):
                _tell(self.listener(), events)

    def test_two_runs_at_once_are_kept_apart(self) -> None:
        """Two listeners in one process, each with a run of its own, write as much as each other."""
        with _folders(2) as folders:
            listeners = [self.listener() for _ in folders]
            for events in zip(*map(event_scripts.run_events, folders), strict=True):
                for listener, event in zip(listeners, events, strict=True):
                    _tell(listener, [event])
            fewer, more = sorted(map(_written, folders))
        require(more <= 1.5 * fewer, f"of two runs at once, it writes {more} bytes of one and {fewer} of the other")

    def test_it_keeps_to_the_folder(self) -> None:
        """It writes only below the folder of its event."""
        for events in (event_scripts.run_events, event_scripts.ablation_events, event_scripts.probe_events):
            with _folders() as (folder,):
                _tell(self.listener(), events(folder))
                strays = [path.name for path in folder.parent.iterdir() if path != folder]
            require(not strays, f"it writes outside the run's folder: {', '.join(strays)}")

    def test_events_are_left_alone(self) -> None:
        """Other listeners receive the same events, so it must not modify them."""
        with _folders() as (folder,):
            events = [
                *event_scripts.run_events(folder),
                *event_scripts.ablation_events(folder),
                *event_scripts.probe_events(folder),
            ]
            before = list(map(pickle.dumps, events))
            _tell(self.listener(), events)
            changed = [type(event).__name__ for event, was in zip(events, before, strict=True) if _differs(event, was)]
        require(not changed, f"it modifies {changed and changed[0]}, which other listeners receive too")


@contextmanager
def _folders(count: int = 1) -> Generator[list[Path], None, None]:
    """Empty folders of runs, with names that need care, in a working directory that has nothing else."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as root, chdir(root):
        folders = [Path(root, f"façades [v2] run {number}") for number in range(count)]
        for folder in folders:
            folder.mkdir()
        yield folders


def _tell(listener: Listener, events: Iterable[Event]) -> None:
    for event in events:
        try:
            dispatch(listener, event)
        except (Exception, SystemExit) as error:
            what = f"for {type(event).__name__} it raises {type(error).__name__}: {error}"
            raise ConformanceError(what) from error


def _state(listener: Listener) -> str:
    """A listener's state as JSON."""
    try:
        return json.dumps(checked_state(listener), sort_keys=True)
    except PluginError as error:
        raise ConformanceError(str(error)) from error


def _written(folder: Path) -> int:
    """Number of bytes below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _differs(event: Event, pickled: bytes) -> bool:
    return pickle.dumps(event) != pickled
