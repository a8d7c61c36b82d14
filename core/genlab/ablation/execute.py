"""Worker processes that train trials, one per slot, each reused for the next trial."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from typing_extensions import override

from genlab.ablation.claim import Claim, new_owner
from genlab.ablation.jobs import Job, JobEnded, JobEvent, JobLeft, JobProgress, JobStarted
from genlab.ablation.kept_claim import CLAIM_LOST
from genlab.ablation.outcome import find_outcome, record_failure
from genlab.engine.stop_signal import StopSignal
from genlab.errors import GenlabError, RunError


def execute(
    jobs: Sequence[Job],
    environments: Sequence[Mapping[str, str]],
    log: Path,
    on_event: Callable[[JobEvent], None],
    is_over: Callable[[], bool],
) -> None:
    """Train jobs in worker processes, one per environment: an `Executor`.

    Each is claimed before; a failing job does not affect the others.
    """
    waiting: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        waiting.put(job)
    events: SimpleQueue[JobEvent | GenlabError | None] = SimpleQueue()
    refusals: list[GenlabError] = []
    slots = [_Slot(environment, log, waiting, events) for environment in environments[: len(jobs)]]
    with _ended(slots):
        running = len(slots)
        while running:
            if is_over():
                for slot in slots:
                    slot.stop()
            try:
                event = events.get(timeout=0.2)
            except Empty:
                continue
            if event is None:
                running -= 1
            elif isinstance(event, GenlabError):
                for slot in slots:
                    slot.stop()
                refusals.append(event)
            else:
                on_event(event)
    for refusal in refusals:
        raise refusal


@contextmanager
def _ended(slots: Sequence[_Slot]) -> Generator[None, None, None]:
    for slot in slots:
        slot.start()
    try:
        yield
    finally:
        for slot in slots:
            slot.kill()
        for slot in slots:
            slot.join()


@contextmanager
def _beating(claim: Claim) -> Generator[threading.Event, None, None]:
    """Context in which a claim has its heartbeat until an event is set, as a process may take minutes to start."""
    begun = threading.Event()

    def beat() -> None:
        while not begun.wait(claim.seconds):
            with suppress(OSError):
                if not claim.beat():
                    return

    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    try:
        yield begun
    finally:
        begun.set()
        beating.join()


class _Slot(threading.Thread):
    """Passes jobs to its worker process, one at a time; a process that dies is replaced."""

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        waiting: SimpleQueue[Job],
        events: SimpleQueue[JobEvent | GenlabError | None],
    ) -> None:
        super().__init__(daemon=True)
        self._environment = {**os.environ, **environment}
        self._log = log
        self._waiting = waiting
        self._events = events
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        # Held while a process is started: a signal sent before it exists would be lost.
        self._starting = threading.Lock()

    @override
    def run(self) -> None:
        try:
            while not self._stopped:
                try:
                    job = self._waiting.get_nowait()
                except Empty:
                    break
                self._take(job)
        except GenlabError as error:
            self._events.put(error)
        finally:
            self._dismiss()
            self._events.put(None)

    def _take(self, job: Job) -> None:
        """Train a job unless somebody else holds it, or did it meanwhile."""
        owner = new_owner()
        claim = Claim(job.ablation / "claims", job.trial, owner)
        if not (claim.take_over(job.left_by) if job.left_by else claim.take()):
            return
        try:
            outcome = find_outcome(job, anew=True)
            if outcome is None:
                self._events.put(JobStarted(job))
                with _beating(claim) as begun:
                    outcome = self._train(job, owner, begun)
            self._events.put(outcome)
        finally:
            claim.release()

    def stop(self) -> None:
        """Let the process save its trial, and take no other job."""
        with self._starting:
            if not self._stopped:
                self._stopped = True
                if self._process:
                    self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process, and take no other job."""
        with self._starting:
            self._stopped = True
            if self._process:
                self._process.kill()

    def _dismiss(self) -> None:
        """End the process, if there is one, by closing its input; its trial is saved."""
        if self._process:
            # Leaving the block closes the pipes and waits for the end.
            with self._process, suppress(BrokenPipeError):
                assert self._process.stdin
                self._process.stdin.close()

    def _train(self, job: Job, owner: str, begun: threading.Event) -> JobEnded | JobLeft:
        try:
            with self._starting:
                if self._stopped:
                    return JobEnded(job, "interrupted", None)
                process = self._alive()
        except OSError as error:
            return JobEnded(job, "failed", f"no process could be started for it: {error}")
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps({**job.message(), "owner": owner}) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                begun.set()
                message = json.loads(line)
                match message["event"]:
                    case "done":
                        return JobEnded(job, message["status"], message["failure"])
                    case "left":
                        return JobLeft(job)
                    case "refused":
                        self._events.put(JobLeft(job))
                        raise RunError(message["what"], where=message["where"], hint=message["hint"])
                    case _:
                        self._events.put(JobProgress(job, message["step"]))
        except BrokenPipeError:
            pass
        code = process.wait()
        if code == CLAIM_LOST:
            return JobLeft(job)
        if self._stopped or -code in StopSignal.signals:
            return JobEnded(job, "interrupted", None)
        failure = f"its process ended {_ending(code)}; its last output is in {self._log}"
        record_failure(job, failure)
        return JobEnded(job, "failed", failure)

    def _alive(self) -> subprocess.Popen[str]:
        if self._process and self._process.poll() is not None:
            self._dismiss()
            self._process = None
        if self._process is None:
            # In a new session, so that Ctrl-C reaches only this process, which forwards it once.
            with self._log.open("a") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "genlab.ablation.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env=self._environment,
                    start_new_session=True,
                )
        return self._process


def _ending(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
