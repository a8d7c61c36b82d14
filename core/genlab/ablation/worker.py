"""Worker process that trains trials, one after the other: `python -m genlab.ablation.worker`.

It reads jobs from standard input and writes events to standard output, one JSON object per line.
When its input ends, because there are no more jobs or because its parent process died, it saves its trial.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import time
from queue import SimpleQueue
from typing import IO, Any

from typing_extensions import override

from genlab.ablation.jobs import Job
from genlab.ablation.train import train_trial
from genlab.engine.stop_signal import StopSignal
from genlab.interfaces.listener import Listener, Step

_SECONDS_BETWEEN_WORDS = 0.25


class ProgressReporter(Listener):
    """Report a trial's progress, a few times a second."""

    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel
        self._told = 0.0

    @override
    def step(self, event: Step) -> None:
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_WORDS:
            self._told = now
            tell(self._channel, event="step", step=event.step)


def tell(channel: IO[str], **message: Any) -> None:
    """Write an event as a line of JSON."""
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def main() -> None:
    """Train jobs from standard input until it ends."""
    # A scheduler, the parent and the end of the input may each ask it to save; the parent can kill it.
    StopSignal.grace = math.inf
    # Output of plugins must not get between the messages.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    jobs: SimpleQueue[Job | None] = SimpleQueue()
    threading.Thread(target=_receive, args=(jobs,), daemon=True).start()
    while (job := jobs.get()) is not None:
        # A defect of genlab ends this process, which is reported too.
        done = train_trial(job, [("progress", ProgressReporter(channel))])
        tell(channel, event="done", status=done.status, failure=done.failure)


def _receive(jobs: SimpleQueue[Job | None]) -> None:
    for line in sys.stdin:
        jobs.put(Job.from_message(json.loads(line)))
    jobs.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
