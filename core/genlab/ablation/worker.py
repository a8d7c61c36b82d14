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

from genlab.ablation.as_planned import OtherMachineError, require_as_planned
from genlab.ablation.claim import Claim
from genlab.ablation.contents import TrialContents
from genlab.ablation.jobs import Job, JobEnded, JobLeft
from genlab.ablation.kept_claim import kept_claim
from genlab.ablation.outcome import record_failure
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
    received: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    threading.Thread(target=_receive, args=(received,), daemon=True).start()
    contents = TrialContents()
    while (message := received.get()) is not None:
        job = Job.from_message(message)
        claim = Claim(job.ablation / "claims", job.trial, message["owner"])
        try:
            # A defect of genlab ends this process, which is reported too.
            with kept_claim(claim) as guard:
                require_as_planned(job, contents)
                done = train_trial(job, [("claim", guard), ("progress", ProgressReporter(channel))])
            match done:
                case JobEnded(_, status, failure):
                    if failure is not None:
                        record_failure(job, failure)
                    tell(channel, event="done", status=status, failure=failure)
                case JobLeft():
                    tell(channel, event="left")
        except OtherMachineError as error:
            tell(channel, event="refused", what=error.what, where=error.where, hint=error.hint)
        finally:
            # The process that started this one may have been killed.
            claim.release()


def _receive(received: SimpleQueue[dict[str, Any] | None]) -> None:
    for line in sys.stdin:
        received.put(json.loads(line))
    received.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
