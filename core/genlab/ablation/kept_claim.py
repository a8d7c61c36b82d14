"""Heartbeat of a claim, in the process that trains the trial."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

from typing_extensions import override

from genlab.ablation.claim import Claim
from genlab.interfaces.listener import Listener, Step

CLAIM_LOST = 75
"""Exit code of a process whose claim was lost to another one."""


class ClaimGuard(Listener):
    """Put the step into the claim, and go on only as long as it is this process's."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    @override
    def step(self, event: Step) -> None:
        self._claim.step = event.step
        if self._claim.is_doubtful:
            require_claim(self._claim)


@contextmanager
def kept_claim(claim: Claim) -> Generator[ClaimGuard, None, None]:
    """Context in which a claim has its heartbeat; where it is lost to somebody else, this process ends at once."""
    require_claim(claim)
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(claim, over), daemon=True)
    beating.start()
    try:
        yield ClaimGuard(claim)
    finally:
        over.set()
        beating.join()


def require_claim(claim: Claim) -> None:
    """End this process at once if its claim was lost, or may be as no heartbeat can be written."""
    with suppress(OSError):
        if claim.beat():
            return
        os._exit(CLAIM_LOST)
    if claim.is_doubtful:
        os._exit(CLAIM_LOST)


def _beat(claim: Claim, over: threading.Event) -> None:
    while not over.wait(claim.seconds):
        require_claim(claim)
