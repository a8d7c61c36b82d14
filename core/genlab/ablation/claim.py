"""Claims of trials: of all workers that share an ablation's folder, one trains a trial.

Importing this imports no torch.

claims/TRIAL            there as long as somebody holds the trial; made by `link`
claims/TRIAL@OWNER      the same file, under the name of its holder

Both operations are atomic, on network file systems too: a link to TRIAL succeeds for one of several workers, and a
rename of TRIAL@OWNER, by which a lost claim is taken over, for one of several takers. A worker holds a trial as long as
the file by its own name has both names. The holder writes into it every few seconds (heartbeat). Whoever has watched a
claim that does not change, by its own clock, for twelve times that long, takes it for lost: clocks of machines are not
compared. On the machine of the holder it is lost as soon as its process has ended. A holder that could not write for
half of that time checks, before it goes on, that the claim is still its own.
"""

from __future__ import annotations

import json
import os
import platform
import re
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self
from uuid import uuid4

from genlab.errors import GenlabError, StorageError
from genlab.util.files import refresh, storage_errors

HEARTBEAT = "GENLAB_HEARTBEAT"
"""Environment variable of the seconds between two heartbeats."""
BEATS_UNTIL_LOST = 12
"""Heartbeats that may be missing before others take a claim for lost."""
_SIZE = 256
"""Bytes of a claim's content, which is written in place."""


def heartbeat_seconds() -> float:
    """Seconds between two heartbeats of this process's claims: 5, or those of the environment."""
    given = os.environ.get(HEARTBEAT, "") or "5"
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 600:
        raise GenlabError(f"expected seconds from 0.01 to 600, got {given!r}", where=HEARTBEAT)
    return seconds


def new_owner() -> str:
    """Name of a holder that no other one has, beginning with its machine's."""
    host = re.sub(r"[^0-9A-Za-z-]", "", platform.node())[:32]
    return f"{host or 'host'}-{os.getpid()}-{uuid4().hex[:8]}"


@cache
def _process_space() -> str:
    """The set of processes that this process can see; the same text nowhere else, and empty where it is unknown."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


class ClaimContent(NamedTuple):
    """Content of a claim, as its holder writes it.

    Args:
        pid: its process.
        space: the set of processes that this is one of.
        seconds: between two heartbeats.
        beats: number of heartbeats so far.
        step: steps that the trial has trained.
    """

    pid: int
    space: str
    seconds: float
    beats: int
    step: int

    def encode(self) -> bytes:
        """Bytes of a fixed number, so that a later content takes the place of an earlier one."""
        return json.dumps(self._asdict()).encode().ljust(_SIZE - 1) + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> Self | None:
        """The content that bytes are of; None while it is being written, and of what is damaged."""
        try:
            values = json.loads(content)
            found = cls(
                int(values["pid"]),
                str(values["space"]),
                float(values["seconds"]),
                int(values["beats"]),
                int(values["step"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        return found if 0.01 <= found.seconds <= 600 else None

    @property
    def has_ended(self) -> bool:
        """True if the process is known to have ended; only processes of the same machine are known."""
        if not self.space or self.space != _process_space():
            return False
        with suppress(PermissionError):
            try:
                os.kill(self.pid, 0)
            except (ProcessLookupError, OverflowError):
                return True
        return _is_zombie(self.pid)


def _is_zombie(pid: int) -> bool:
    """True for a process that has ended, and whose parent has not asked for its end, as in containers without init."""
    with suppress(OSError):
        # After the command, which is in parentheses and may hold any character
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    return False


class Claim:
    """A trial's claim, as its holder has it.

    Args:
        folder: the ablation's claims.
        trial: the trial's key.
        owner: the holder's name.
    """

    def __init__(self, folder: Path, trial: str, owner: str) -> None:
        self._common = folder / trial
        self._own = folder / f"{trial}@{owner}"
        self._seconds = heartbeat_seconds()
        self._beats = 0
        self._written = time.monotonic()
        self.step = 0

    @property
    def seconds(self) -> float:
        """Seconds between two heartbeats."""
        return self._seconds

    def take(self) -> bool:
        """Claim the trial; False if somebody holds it."""
        with storage_errors(self._own):
            self._own.parent.mkdir(exist_ok=True)
            self._own.touch(exist_ok=False)
            self._write()
        with suppress(FileExistsError):
            try:
                self._remove_copied()
                os.link(self._own, self._common)
            except FileExistsError:
                raise
            except OSError as error:
                self._own.unlink(missing_ok=True)
                what = f"no link can be made here, and workers claim trials by links: {os.strerror(error.errno or 0)}"
                raise StorageError(what, where=str(self._common), hint="Choose an --out elsewhere.") from error
        # Of a link over a network that was made, the answer may be lost; the number of links is right.
        return self._is_linked() or self._drop()

    def _remove_copied(self) -> None:
        """Remove a claim without a holder's name: a copy of the folder has none of the links, and nobody holds it."""
        with suppress(FileNotFoundError):
            if _count_links(self._common) != 1:
                return
            aside = self._own.with_name(f"{self._own.name}.copied")
            self._common.rename(aside)
            if _count_links(aside) > 1:  # somebody removed the copy, and claimed the trial, just before
                aside.rename(self._common)
            else:
                aside.unlink()

    def take_over(self, lost: str) -> bool:
        """Take the claim of a lost holder; False if somebody else did, or if it was released."""
        try:
            self._own.with_name(f"{self._common.name}@{lost}").rename(self._own)
        except OSError:
            if not self._own.exists():
                return False
        return (self._is_linked() and self.beat()) or self._drop()

    def beat(self) -> bool:
        """Write a heartbeat; False if the claim was lost to somebody else, and nothing must be written any more."""
        self._beats += 1
        try:
            if not self._is_linked():  # what is written would be the content of somebody else's claim
                return False
            self._write()
            return self._is_linked()
        except FileNotFoundError:
            return False

    @property
    def is_doubtful(self) -> bool:
        """True if no heartbeat was written for so long that others may soon take the claim for lost."""
        return time.monotonic() - self._written > self._seconds * BEATS_UNTIL_LOST / 2

    def release(self) -> None:
        """Give the trial back, if this holder still has it."""
        with suppress(OSError):
            if self._is_linked():
                self._common.unlink(missing_ok=True)
                self._own.unlink(missing_ok=True)

    def _drop(self) -> bool:
        with suppress(OSError):
            self._own.unlink(missing_ok=True)
        return False

    def _is_linked(self) -> bool:
        """True if the trial's claim is this holder's."""
        return _count_links(self._own) == 2

    def _write(self) -> None:
        content = ClaimContent(os.getpid(), _process_space(), self._seconds, self._beats, self.step)
        handle = os.open(self._own, os.O_WRONLY)
        try:
            os.write(handle, content.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        self._written = time.monotonic()


def _count_links(path: Path) -> int:
    """Number of names of a file; 0 if it is not there.

    It is opened, as a network file system may have cached the number.
    """
    refresh(path.parent)
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        return os.fstat(handle).st_nlink
    finally:
        os.close(handle)
