"""A plugin's file as it is read: what is digested is what is run."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from genlab.errors import PluginError
from genlab.util.bounded import read_bounded
from genlab.util.files import is_text


class PluginFile(NamedTuple):
    """A Python file, read once, so that it cannot change between its digest and its execution.

    Args:
        path: its absolute path, under the name that it was given by.
        code: its bytes.
        where: display name of it, for errors.
    """

    path: Path
    code: bytes
    where: str

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes, as `sha256sum` prints it."""
        return hashlib.sha256(self.code).hexdigest()

    @staticmethod
    def read(file: Path, where: str) -> PluginFile:
        """Read a file; `PluginError` if there is no such Python file, or recipes cannot name it."""
        path = existing_file(file, where)
        if not is_text(path.name):  # recipes name it
            raise PluginError("the name of the file is not UTF-8 text", where=f"{where!a}", hint="Rename it.")
        if path.suffix != ".py":
            raise PluginError(f"{path.name} is not a Python file", where=where)
        try:
            return PluginFile(path, read_bounded(path), where)
        except OSError as error:
            raise PluginError(f"cannot be read: {error.strerror}", where=where) from error


def existing_file(file: Path, where: str) -> Path:
    """Path of an existing file under the name that it was given by: a run keeps a copy under that name."""
    with suppress(OSError, RuntimeError):  # a name that is too long, a loop of links, a user that there is not
        path = Path(os.path.abspath(file.expanduser()))  # noqa: PTH100  (it follows no links)
        if path.is_file():
            return path
    raise PluginError("there is no such file", where=where)
