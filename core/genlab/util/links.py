"""Links in a folder that somebody else may have made, which lead to the user's own files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from genlab.errors import RunError


def refuse_links(folder: Path, kind: str) -> None:
    """Raise a `RunError` if anything below a folder is a link, or neither a file nor a folder.

    The folder itself may be reached by a link.

    Args:
        folder: the folder, which need not exist.
        kind: what it is, for the message.
    """
    for entry in _entries(folder):
        if entry.is_symlink():
            to = Path(entry.path).readlink()
            raise RunError(
                f"it is a link to {to}, and nothing is written or removed through a link in the folder of a {kind}",
                where=entry.path,
                hint=f"Move the whole folder of the {kind} instead, which may itself be reached by a link; or put the"
                " file or folder in the place of the link.",
            )
        if not (entry.is_file() or entry.is_dir()):
            raise RunError("it is neither a file nor a folder", where=entry.path, hint="Remove it.")


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder, links not followed; what cannot be listed is not written to either."""
    pending = [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        yield from found
        pending += [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
