"""`gen board` is a TensorBoard of a folder."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from tests.conftest import GenCommand

from genlab_tensorboard.event_file import EventFile
from genlab_tensorboard.summaries import picture_value


def ask(url: str, page: str) -> Any:
    with urllib.request.urlopen(f"{url}data/{page}", timeout=10) as answer:
        return json.load(answer)


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if found := re.search(r"http://localhost:\d+/", line):
            return found[0]
    raise AssertionError(told)


def test_it_serves_every_picture_until_it_is_stopped(python: list[str], tmp_path: Path) -> None:
    """Where TensorBoard alone keeps ten."""
    events = EventFile(tmp_path / "runs" / "a")
    for step in range(12):
        events.add(step, [picture_value("preview", np.full((2, 2, 3), step, np.uint8))])
    command = [*python, "-m", "genlab", "board", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = address(process)
            end = time.monotonic() + 60
            while not ask(url, "plugin/images/tags"):
                assert time.monotonic() < end, "no picture within a minute"
                time.sleep(0.1)
            assert len(ask(url, "plugin/images/images?run=a&tag=preview&sample=0")) == 12
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_folder_that_is_not_there_is_told(gen: GenCommand) -> None:
    done = gen("board", "nowhere")
    assert done.returncode == 2
    assert "nowhere: there is no such folder" in done.stderr
    assert "gen run RECIPE" in done.stderr
