"""A process that trains cells, one after the other: `python -m genlab.ablation.worker`.

It reads jobs from its standard input and tells what happens on its standard output, a JSON object a line both ways.
When its input ends, because it is done with or because the process that started it is gone, it saves what it trains.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from genlab import runner
from genlab.ablation.observations import Observations
from genlab.build.read import read
from genlab.engine.checkpoint import forget_optimizers
from genlab.errors import GenlabError
from genlab.interfaces.listener import Listener, Step
from genlab.plugins.blame import blamed
from genlab.runs import RunFolder

PATIENCE = 120.0
"""Seconds that a worker left over from before may take to save what it trains."""

_SECONDS_BETWEEN_WORDS = 0.25


class Progress(Listener):
    """Tells how far a cell is, a few times a second."""

    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel
        self._told = 0.0

    def step(self, event: Step) -> None:
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_WORDS:
            self._told = now
            tell(self._channel, event="step", step=event.step)


def tell(channel: IO[str], **message: Any) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def main() -> None:
    # What plugins print must not come between the messages.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    threading.Thread(target=_receive, args=(jobs,), daemon=True).start()
    while (job := jobs.get()) is not None:
        tell(channel, event="done", **_outcome(job, channel))


def _receive(jobs: SimpleQueue[dict[str, Any] | None]) -> None:
    for line in sys.stdin:
        jobs.put(json.loads(line))
    jobs.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


def _outcome(job: dict[str, Any], channel: IO[str]) -> dict[str, Any]:
    """Train one cell; how that ended. An error of genlab's own ends the process, which is told too."""
    folder = RunFolder(Path(job["target"]))
    try:
        _train(folder, job, channel)
        manifest = folder.read()
        if manifest.status == "finished" and (last := folder.last_checkpoint()):
            forget_optimizers(last)
        return {"status": manifest.status, "failure": manifest.failure}
    except GenlabError as error:
        return {"status": "failed", "failure": str(error)}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if fault := blamed(error):
            return {"status": "failed", "failure": str(fault)}
        raise


def _train(folder: RunFolder, job: dict[str, Any], channel: IO[str]) -> None:
    listeners = [("progress", Progress(channel)), ("observations", Observations())]
    if folder.path.exists():
        with folder.locked(PATIENCE):
            can_go_on = folder.last_checkpoint() is not None
        if can_go_on:
            runner.go_on(folder, listeners=listeners)
            return
        shutil.rmtree(folder.path)
    plugins = [Path(path) for path in job["plugins"]]
    checked = read(job["recipe"], plugins=plugins)
    make_folder = partial(RunFolder.create, folder.path)
    runner.start(checked, make_folder, name=job["name"], plugins=plugins, listeners=listeners)


if __name__ == "__main__":
    main()
