"""Trust in plugin files by digest: code that came with a run is not run before its user agrees.

A file that is given with --plugin is trusted by being named. Files in a run's folder are run if they are trusted
already, or if the user agrees: by `trusting`, or by what `asking` sets to ask.

GENLAB_TRUSTED    the file of trusted digests, one a line; by default in the user's configuration folder
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from pathlib import Path

from platformdirs import user_config_path

from genlab.errors import GenlabError, RunError
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.util.bounded import read_bounded
from genlab.util.files import file_lock, storage_errors, write_text

_STORE = "GENLAB_TRUSTED"
_UNSTORED = "GENLAB_TRUSTED_DIGESTS"
"""Environment variable of digests that cannot be stored, which an ablation's workers inherit."""

_DIGEST = re.compile(r"^[0-9a-f]{64}\b", re.MULTILINE)
_PATIENCE = 10.0

_log = logging.getLogger("genlab")

Ask = Callable[[Path, Sequence[PluginFile]], bool]
"""Question whether to run the files of a run's folder."""

_ask: ContextVar[Ask] = ContextVar("ask", default=lambda _folder, _files: False)


@contextmanager
def asking(ask: Ask) -> Generator[None, None, None]:
    """Context in which `ask` decides on files that are not trusted yet; without one, they are refused."""
    before = _ask.set(ask)
    try:
        yield
    finally:
        _ask.reset(before)


@contextmanager
def trusting(trust: bool) -> Generator[None, None, None]:
    """Context in which the files of every run that is opened are trusted, if `trust` is set."""
    with asking(lambda _folder, _files: True) if trust else nullcontext():
        yield


def require_trust(folder: Path, files: Sequence[PluginFile]) -> None:
    """Raise a `RunError` unless all files are trusted, or the user agrees to trust them.

    Args:
        folder: the run that they came with.
        files: its plugin files.
    """
    known = trusted_digests()
    unknown = [file for file in files if file.digest not in known]
    if not unknown:
        return
    if not _ask.get()(folder, unknown):
        listed = "".join(f"\n  {file.path}  sha256 {file.digest}" for file in unknown)
        raise RunError(
            f"this run has code of its own that you have not run before:{listed}",
            where=str(folder),
            hint="It would run with your rights: read it first. If you trust it, add --trust; in Python, trust=True.",
        )
    add_trust(unknown)


def add_trust(files: Sequence[PluginFile]) -> None:
    """Record files as trusted from now on; safe with concurrent processes."""
    known = trusted_digests()
    new = {file.digest: file.path.name for file in files if file.digest not in known}
    if not new:
        return
    try:
        _store(new)
    except GenlabError as error:
        names = ", ".join(new.values())
        _log.warning("%s: trusted for this command only, as the record of it cannot be written (%s).", names, error)
        os.environ[_UNSTORED] = "\n".join([*_DIGEST.findall(os.environ.get(_UNSTORED, "")), *new])


def trusted_digests() -> frozenset[str]:
    """Digests of all trusted files; a record that cannot be read has none."""
    stored = ""
    with suppress(OSError):
        stored = _read(_path())
    return frozenset(_DIGEST.findall(stored)) | frozenset(_DIGEST.findall(os.environ.get(_UNSTORED, "")))


def trusted_environment() -> dict[str, str]:
    """Environment variable by which a command that the user has run elsewhere trusts what is trusted here."""
    return {_UNSTORED: "\n".join(sorted(trusted_digests()))}


def _path() -> Path:
    named = os.environ.get(_STORE, "")
    return Path(named) if named else user_config_path("genlab") / "trusted_plugins.txt"


def _read(path: Path) -> str:
    """The record; empty if there is none, and `OSError` if it cannot be read."""
    return read_bounded(path).decode(errors="replace") if path.exists() else ""


def _store(new: dict[str, str]) -> None:
    path = _path().resolve()  # the user may keep it elsewhere, by a link
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(path.with_name(f"{path.name}.lock"), "another process is writing it", _PATIENCE):
        with storage_errors(path):
            before = _read(path)
        if before and not before.endswith("\n"):
            before += "\n"  # as after an edit by hand
        known = _DIGEST.findall(before)
        write_text(
            path, before + "".join(f"{digest}  {name!a}\n" for digest, name in new.items() if digest not in known)
        )
