"""View of an ablation's claims, as those see them who do not hold them. Importing this imports no torch."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genlab.ablation.claim import BEATS_UNTIL_LOST, Claim, ClaimContent, heartbeat_seconds, new_owner


@dataclass(frozen=True)
class HeldTrial:
    """A claim as others see it.

    Args:
        owner: the holder's name.
        step: the last step that it wrote.
        is_lost: whether its holder is gone.
        is_alive: whether it has changed since it was first looked at.
    """

    owner: str
    step: int
    is_lost: bool
    is_alive: bool


@dataclass
class _Sighting:
    owner: str
    content: bytes
    since: float
    has_changed: bool = False


class ClaimWatch:
    """Watch over the claims of an ablation, by this process's clock.

    Args:
        folder: the ablation's claims.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sightings: dict[str, _Sighting] = {}

    def look(self) -> Mapping[str, HeldTrial]:
        """The claims that there are now, by trial."""
        found: dict[str, HeldTrial] = {}
        seen: dict[str, _Sighting] = {}
        for trial, owner in self._owners():
            try:
                content = (self._folder / f"{trial}@{owner}").read_bytes()
            except FileNotFoundError:
                continue
            except OSError:  # one that cannot be read, as of another user, is held until it has not changed for long
                content = b""
            seen[trial] = sighting = self._sighting(trial, owner, content)
            decoded = ClaimContent.decode(content)
            seconds = decoded.seconds if decoded else heartbeat_seconds()
            is_lost = time.monotonic() - sighting.since > BEATS_UNTIL_LOST * seconds
            is_lost = is_lost or (decoded is not None and decoded.has_ended)
            found[trial] = HeldTrial(owner, decoded.step if decoded else 0, is_lost, sighting.has_changed)
        self._sightings = seen
        return found

    def _owners(self) -> list[tuple[str, str]]:
        """Trials and holders of the files that have both names; others were left by a worker that lost a race."""
        try:
            with os.scandir(self._folder) as entries:
                names = [entry.name for entry in entries if "@" in entry.name and entry.stat().st_nlink == 2]
        except OSError:
            return []
        return [(trial, owner) for trial, _, owner in (name.rpartition("@") for name in names)]

    def _sighting(self, trial: str, owner: str, content: bytes) -> _Sighting:
        before = self._sightings.get(trial)
        if before is None or before.owner != owner:
            return _Sighting(owner, content, time.monotonic())
        if before.content != content:
            return _Sighting(owner, content, time.monotonic(), has_changed=True)
        return before


def release_lost(folder: Path, trial: str, held: HeldTrial) -> None:
    """Give back a trial whose holder was lost, unless somebody else takes it over."""
    claim = Claim(folder, trial, new_owner())
    if claim.take_over(held.owner):
        claim.release()


def await_free(folder: Path, trial: str) -> bool:
    """True if somebody holds a trial; a claim whose holder does not show for as long as it may take is removed."""
    watch = ClaimWatch(folder)
    while held := watch.look().get(trial):
        if held.is_alive:
            return True
        if held.is_lost:
            release_lost(folder, trial, held)
        time.sleep(min(heartbeat_seconds(), 0.1))
    return False
