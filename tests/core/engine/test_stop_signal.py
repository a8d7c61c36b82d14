"""Signals from outside, to a training in a process of its own."""

import io
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genlab.engine.stop_signal import StopSignal

ROOT = Path(__file__).parents[3]
CHILD = """
import select
import sys
from pathlib import Path
from genlab.engine.stop_signal import StopSignal
from tests.core.toys import ToyMethod, experiment, run

StopSignal.grace = float(sys.argv[2])

class Waiting(ToyMethod):
    count = 0

    def forward(self, batch):
        self.count += 1
        if self.count == 3:
            print("in step 3", flush=True)
            # As code that computes does, this looks for signals again and again; one wait might just miss one.
            while not select.select([sys.stdin], [], [], 0.05)[0]:
                pass
        return super().forward(batch)

try:
    ended = run(experiment(method=Waiting), Path(sys.argv[1]))
    print(ended.status, ended.step, ended.signal, flush=True)
except KeyboardInterrupt:
    print("broken off", flush=True)
"""


@pytest.fixture
def child(tmp_path: Path, python: list[str], request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A training that waits for a line in the middle of its third step; the parameter is the grace, in seconds."""
    grace = getattr(request, "param", StopSignal.grace)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [*python, "-c", CHILD, str(tmp_path / "run"), str(grace)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    assert process.stdout.readline() == "in step 3\n", process.stderr.read()
    yield process
    process.kill()
    process.communicate()


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("run/checkpoints/*"))


def test_the_first_signal_lets_the_step_end_and_saves_it(child, tmp_path):
    child.send_signal(signal.SIGTERM)
    assert "the run is saved after this step" in child.stderr.readline()
    out, err = child.communicate("\n", timeout=60)
    assert out == f"interrupted 3 {int(signal.SIGTERM)}\n", err
    assert checkpoints(tmp_path) == ["00000003"]


@pytest.mark.parametrize(
    "numbers",
    [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)],
)
def test_signals_within_the_grace_are_one_request(child, tmp_path, numbers):
    for number in numbers:
        child.send_signal(number)
        time.sleep(0.01)
    out, err = child.communicate("\n", timeout=60)
    assert out == f"interrupted 3 {int(numbers[0])}\n", err
    assert err.count("the run is saved after this step") == 1
    assert checkpoints(tmp_path) == ["00000003"]


@pytest.mark.parametrize("child", [0.1], indirect=True)
def test_the_second_after_the_grace_breaks_off_in_the_middle_of_the_step(child, tmp_path):
    child.send_signal(signal.SIGINT)
    told = child.stderr.readline()
    assert "Interrupt again to stop at once" in told
    time.sleep(0.15)
    child.send_signal(signal.SIGINT)
    # Not by `communicate`, which would end the wait for a line.
    assert select.select([child.stdout], [], [], 60)[0], told
    out, err = child.communicate(timeout=60)
    assert (out, child.returncode) == ("broken off\n", 0), err
    assert checkpoints(tmp_path) == []


class Interrupted(io.RawIOBase):
    """A stream that a signal comes to whenever something is written to it."""

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return len(data)


def test_signals_in_the_middle_of_a_message_are_not_lost(monkeypatch):
    """A buffer that is being written to raises an error if its writer's signal handler writes to it too."""
    stream = io.TextIOWrapper(io.BufferedWriter(Interrupted()), line_buffering=True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(StopSignal, "grace", 0)
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("genlab")
    logger.addHandler(handler)
    try:
        with StopSignal() as stopping:
            stream.write("a line\n")
            assert stopping.received == signal.SIGINT
            with pytest.raises(KeyboardInterrupt):
                stream.write("another\n")
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("number", StopSignal.signals)
def test_asks_to_stop_from_the_first_signal_on(monkeypatch, number):
    monkeypatch.setattr(StopSignal, "grace", 0)
    with StopSignal() as stopping:
        assert not stopping()
        assert stopping.received is None
        os.kill(os.getpid(), number)
        assert stopping()
        assert stopping.received == number
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert stopping.received == number


def test_the_grace_begins_anew_in_the_next_training():
    for _ in range(2):
        with StopSignal() as stopping:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
        assert stopping.received == signal.SIGINT


def handlers() -> list[Callable | int | None]:
    return [signal.getsignal(number) for number in StopSignal.signals]


def test_the_handlers_from_before_come_back_whatever_happens():
    before = handlers()
    with pytest.raises(ValueError, match="in between"), StopSignal():
        assert handlers() != before
        raise ValueError("in between")
    assert handlers() == before
