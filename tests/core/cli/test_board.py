"""`gen board` is a TensorBoard of a folder."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import GenCommand

from genlab.cli.board import shown_folder
from genlab_tensorboard.event_file import EventFile
from genlab_tensorboard.summaries import picture_value


def ask(url: str, page: str) -> Any:
    with urllib.request.urlopen(f"{url}data/{page}", timeout=10) as answer:
        return json.load(answer)


def address(process: subprocess.Popen[str], pattern: str = r"(http://localhost:\d+/)") -> tuple[str, str]:
    """What TensorBoard says until it serves, and the part of its address that a pattern finds."""
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if found := re.search(pattern, line):
            return told, found[1]
    raise AssertionError(told)


def test_it_serves_every_picture_until_it_is_stopped(python: list[str], tmp_path: Path) -> None:
    """Where TensorBoard alone keeps ten; and what a stranger left in the folder does not run."""
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "__init__.py").write_text("raise SystemExit('a stranger was here')")
    events = EventFile(tmp_path / "runs" / "a")
    for step in range(12):
        events.add(step, [picture_value("preview", np.full((2, 2, 3), step, np.uint8))])
    command = [*python, "-m", "genlab", "board", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            _, url = address(process)
            end = time.monotonic() + 60
            while not ask(url, "plugin/images/tags"):
                assert time.monotonic() < end, "no picture within a minute"
                time.sleep(0.1)
            assert len(ask(url, "plugin/images/images?run=a&tag=preview&sample=0")) == 12
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """A server on a port of its own."""
    with socket.create_server(("localhost", 0)) as server:
        yield server


def test_it_takes_the_next_port_and_what_tensorboard_advises(python: list[str], tmp_path: Path) -> None:
    """A folder without curves is served too, as they may come."""
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else may have it
            stack.enter_context(socket.create_server(("localhost", 6006)))
        (tmp_path / "runs").mkdir()
        command = [*python, "-m", "genlab", "board", "--bind_all", "--load_fast=false"]
        process = stack.enter_context(subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
        try:
            told, port = address(process, r"at http://\S+:(\d+)/")
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert 6006 < int(port) < 6106
    assert "Port 6006 is in use" in told
    assert "runs has no curves yet" in told
    assert "--bind_all" not in told
    assert "--load_fast" not in told


def test_a_port_that_was_asked_for_and_is_taken_is_told(gen: GenCommand, taken: socket.socket, tmp_path: Path) -> None:
    port = str(taken.getsockname()[1])
    done = gen("board", tmp_path, "--port", port)
    assert done.returncode == 2
    assert f"--port {port}: the port is in use" in done.stderr
    assert "leave --port out" in done.stderr


@pytest.mark.parametrize(
    ("there", "opened", "shown"),
    [
        (["trials/skips/seed-0", "tensorboard/skips"], "", "tensorboard"),
        (["trials/skips/seed-0"], "", "trials"),
        (["trials/skips/seed-0", "tensorboard/skips"], "trials", "trials"),
        (["tensorboard"], "", ""),
    ],
    ids=["ablation", "not compared yet", "trials", "run"],
)
def test_an_ablation_shows_its_arms_and_its_trials_when_asked(
    there: list[str], opened: str, shown: str, tmp_path: Path
) -> None:
    for path in there:
        (tmp_path / path).mkdir(parents=True)
    assert shown_folder(tmp_path / opened) == tmp_path / shown


def test_a_folder_that_is_not_there_is_told(gen: GenCommand) -> None:
    done = gen("board", "nowhere")
    assert done.returncode == 2
    assert "nowhere: there is no such folder" in done.stderr
    assert "gen run RECIPE" in done.stderr
