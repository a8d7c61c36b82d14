"""Atomic file writes, file locks, and errors of the disk as errors for users."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import get_ident
from typing import Any

from filelock import FileLock, Timeout
from pydantic_core import to_json

from genlab.errors import RunError, StorageError
from genlab.util.bounded import require_regular


@contextmanager
def storage_errors(path: Path, *kinds: type[Exception]) -> Generator[None, None, None]:
    """Context that converts errors of writing `path` to `StorageError`s.

    Args:
        path: the file, for the message.
        kinds: exceptions of other libraries that mean the same as `OSError`.
    """
    try:
        yield
    except (OSError, *kinds) as error:
        code = getattr(error, "errno", None)
        full = code in (errno.ENOSPC, errno.EDQUOT) or "os error 28" in str(error)
        reason = "the disk is full" if full else os.strerror(code) if code else str(error)
        hint = (
            "Free some space, and try again; a training resumes from its last checkpoint, if it has one."
            if full
            else None
        )
        raise StorageError(f"cannot be written: {reason}", where=str(path), hint=hint) from error


@contextmanager
def atomic_write(path: Path) -> Generator[Path, None, None]:
    """Give a path to write to, renamed over `path` on success (atomic write).

    Raises:
        StorageError: it cannot be written; `path` is as it was.
    """
    # Another process may write the same file, and names have at most 255 bytes.
    name = path.name.encode()[:128].decode(errors="ignore")
    aside = path.with_name(f".{name}.{os.getpid()}-{get_ident()}.partial")
    try:
        with storage_errors(path):
            yield aside
            sync(aside)
            aside.replace(path)
            sync(path.parent)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def remove_partial(folder: Path, *names: str) -> None:
    """Remove what killed processes left of atomic writes.

    Args:
        folder: where they wrote.
        names: patterns of files that this process alone writes now, as it holds their lock.
    """
    for name in names:
        for aside in folder.glob(f".{name}.*.partial"):
            with suppress(OSError):
                aside.unlink()


def sync(path: Path) -> None:
    """Flush a file or a folder's entries to disk (fsync), so that they survive a power cut."""
    if path.is_dir() and os.name == "nt":
        return  # not supported for folders on Windows
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refresh(*folders: Path) -> None:
    """Have names in folders looked up again, the outermost folder first; what is not there is left out.

    A network file system may have cached for a minute which names are there and which are not. It asks its server
    again when a folder is opened (close-to-open consistency).
    """
    for folder in folders:
        with suppress(OSError):
            os.scandir(folder).close()


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, atomically, as `json_text` has it."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """A value as the JSON of a file; NaN and infinities are null."""
    return to_json(value, indent=2, inf_nan_mode="null").decode() + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_texts(contents: Mapping[Path, str]) -> None:
    """Write several text files, none of which is replaced before all are written, in their order."""
    with ExitStack() as stack:  # which is left from its end
        for path, text in reversed([*contents.items()]):
            stack.enter_context(atomic_write(path)).write_text(text, encoding="utf-8")


@contextmanager
def file_lock(lock: Path, busy: str, patience: float) -> Generator[None, None, None]:
    """Context that holds a file lock (mutual exclusion of processes).

    Args:
        lock: path of the lock file.
        busy: error message if another process holds it.
        patience: seconds to wait for it.

    Raises:
        RunError: another process holds it.
        StorageError: the file cannot be written.
    """
    held = FileLock(lock)
    with storage_errors(lock):
        if lock.is_symlink():
            raise OSError(errno.ELOOP, "it is a link")
        try:
            held.acquire(timeout=patience)
        except Timeout as error:
            raise RunError(busy, where=str(lock.parent)) from error
    try:
        yield
    finally:
        held.release()


def is_text(name: str) -> bool:
    """True if a name from the system, of a file or an argument, can be written as UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content; `OSError` if it cannot be read, or is not a regular file."""
    require_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digests(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of several files' content, by their names, computed in threads; `OSError` if one cannot be read."""
    paths = list(files)
    with ThreadPoolExecutor() as pool:
        return dict(zip((path.name for path in paths), pool.map(file_digest, paths), strict=True))


def folder_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of all files below a folder, by their paths there, sorted; hidden files and folders do not count.

    Links are followed, but into no folder twice. `OSError` if a file cannot be read.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        files = [Path(place, name) for name in names if not name.startswith(".")]
        found |= {file.relative_to(folder).as_posix(): file for file in files}
    with ThreadPoolExecutor() as pool:
        return dict(zip(sorted(found), pool.map(file_digest, (found[name] for name in sorted(found))), strict=True))


def _raise(error: OSError) -> None:
    raise error


def content_hash(digests: Mapping[str, str]) -> str:
    """A hash of files' names and content, given as digests by name, in their order."""
    digest = hashlib.sha256()
    for name, content in digests.items():
        digest.update(name.encode() + b"\0" + bytes.fromhex(content))
    return digest.hexdigest()
