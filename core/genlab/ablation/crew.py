"""Training of an ablation's trials beside whoever else trains some, and the progress of all of them.

Importing this imports no torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from genlab.ablation.claim import heartbeat_seconds
from genlab.ablation.claim_watch import ClaimWatch, HeldTrial, release_lost
from genlab.ablation.jobs import Executor, Job, JobEnded, JobEvent, JobLeft, JobProgress, JobStarted
from genlab.ablation.outcome import find_outcome

Held = Mapping[str, HeldTrial]

_MOST_BETWEEN_LOOKS = 2.0
_PER_CLAIM = 0.1
"""Seconds by which looks are further apart for each claim, so that many workers do not keep a file server busy."""
_MOST_BETWEEN_ROUNDS = 30.0


def is_worked_on(held: Held) -> bool:
    """True if somebody trains one of these trials, or did until shortly."""
    return not all(claim.is_lost for claim in held.values())


def is_in_doubt(held: Held) -> bool:
    """True if it is not known yet whether the holder of one of these trials is there or gone."""
    return not all(claim.is_lost or claim.is_alive for claim in held.values())


class Crew:
    """One of those that work on an ablation.

    Args:
        folder: the ablation's.
        wanted: gives all jobs that are wanted by what is finished, finished ones among them, in order.
        is_awaited: whether to wait although no trial is free, by the claims of the others.
        on_event: called with each event of every trial, whoever trains it.
        is_over: True once a signal or a time limit ends the work.
    """

    def __init__(
        self,
        folder: Path,
        wanted: Callable[[], Sequence[Job]],
        is_awaited: Callable[[Held], bool],
        on_event: Callable[[JobEvent], None],
        is_over: Callable[[], bool],
    ) -> None:
        self._log = folder / "workers.log"
        self._wanted, self._is_awaited, self._on_event, self._is_over = wanted, is_awaited, on_event, is_over
        self._claims = folder / "claims"
        self._watch = ClaimWatch(self._claims)
        self._between_looks = min(_MOST_BETWEEN_LOOKS, heartbeat_seconds())
        self._looked = 0.0
        self._held: Held = {}
        self._jobs: dict[str, Job] = {}
        self._mine: set[str] = set()
        self._shown: dict[str, int] = {}
        self._ended: set[str] = set()
        self._left: set[str] = set()
        self._was_interrupted = False

    def train(self, environments: Sequence[Mapping[str, str]], executor: Executor) -> None:
        """Train trials until none is left, or until others have all that are.

        Args:
            environments: those of the slots; without any, the others are watched.
            executor: trains trials.
        """
        while not (self._is_over() or self._was_interrupted):
            self._look()
            jobs = self._open_jobs()
            if not jobs:
                return
            free = [self._free(job) for job in jobs if self._is_free(job)]
            if free and environments:
                executor(free, environments, self._log, self._note, self._pulse)
            elif self._must_wait(jobs):
                self._wait(jobs)
            else:
                return

    def _open_jobs(self) -> list[Job]:
        """Wanted jobs that neither finished nor failed; tells the outcome of those that did since."""
        first = not self._jobs
        wanted = self._wanted()
        self._jobs = {job.trial: job for job in wanted}
        found: list[Job] = []
        for job in wanted:
            if job.name in self._ended:
                continue
            if (outcome := find_outcome(job)) is None:
                found.append(job)
                continue
            self._release_lost(job)
            if first:
                self._ended.add(job.name)
            else:
                self._note(outcome)
        return found

    def _release_lost(self, job: Job) -> None:
        """Give back the claim of a holder that was lost between the end of its trial and the release."""
        held = self._held.get(job.trial)
        if held and held.is_lost:
            release_lost(self._claims, job.trial, held)

    def _is_free(self, job: Job) -> bool:
        if job.name in self._left:
            return False
        return job.trial not in self._held or self._held[job.trial].is_lost

    def _free(self, job: Job) -> Job:
        return replace(job, left_by=self._held[job.trial].owner) if job.trial in self._held else job

    def _must_wait(self, jobs: Sequence[Job]) -> bool:
        return self._is_awaited({job.trial: self._held[job.trial] for job in jobs if job.trial in self._held})

    def _wait(self, jobs: Sequence[Job]) -> None:
        """Wait until claims were made, given back or lost, or until that need not be awaited, or for a while."""
        before, end = self._states(), time.monotonic() + _MOST_BETWEEN_ROUNDS
        while not self._pulse() and self._states() == before and time.monotonic() < end and self._must_wait(jobs):
            time.sleep(min(0.1, self._between_looks))

    def _states(self) -> object:
        """A value that changes whenever a claim is made, given back, seen to be alive, or lost."""
        changed = self._claims.stat().st_mtime_ns if self._claims.is_dir() else 0
        return changed, {trial: (claim.is_lost, claim.is_alive) for trial, claim in self._held.items()}

    def _pulse(self) -> bool:
        if time.monotonic() - self._looked >= self._between_looks + _PER_CLAIM * len(self._held):
            self._look()
        return self._is_over()

    def _look(self) -> None:
        """Look at the claims, and tell the progress of the trials that others train."""
        self._held, self._looked = self._watch.look(), time.monotonic()
        for trial, job in self._jobs.items():
            if job.name in self._mine or job.name in self._ended:
                continue
            claim = self._held.get(trial)
            if claim and not claim.is_lost:
                self._show(job, claim.step)
            elif job.name in self._shown:
                self._note(find_outcome(job) or JobLeft(job))

    def _show(self, job: Job, step: int) -> None:
        if job.name not in self._shown:
            self._on_event(JobStarted(job))
        elif step > self._shown[job.name]:
            self._on_event(JobProgress(job, step))
        self._shown[job.name] = max(step, self._shown.get(job.name, 0))

    def _note(self, event: JobEvent) -> None:
        """Pass an event on, each end once."""
        match event:
            case JobStarted(job):
                self._mine.add(job.name)
                if job.name in self._shown:
                    return
                self._shown[job.name] = 0
            case JobEnded(job, status):
                self._was_interrupted |= status == "interrupted"
                self._forget(job)
                if status != "interrupted" and job.name in self._ended:
                    return
                if status != "interrupted":
                    self._ended.add(job.name)
            case JobLeft(job):
                if job.name in self._mine:
                    self._left.add(job.name)
                self._forget(job)
            case _:
                pass
        self._on_event(event)

    def _forget(self, job: Job) -> None:
        self._mine.discard(job.name)
        self._shown.pop(job.name, None)
