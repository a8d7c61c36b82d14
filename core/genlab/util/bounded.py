"""Reads of files that somebody else may have made: regular files, and no larger than such a file ever is."""

from __future__ import annotations

import errno
from pathlib import Path

MIB = 2**20
_MOST = 16 * MIB
"""Maximum size in bytes of a file that is read whole, such as a recipe, a manifest or a plugin."""


def read_bounded(path: Path, most: int = _MOST) -> bytes:
    """Read a regular file of at most `most` bytes.

    Raises:
        OSError: it cannot be read, is larger, or is not a regular file; a named pipe would be waited for without end.
    """
    require_regular(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // MIB} MiB", str(path))
    return content


def require_regular(path: Path) -> None:
    """Raise an `OSError` for a named pipe or a device, which would be waited for or read without end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
