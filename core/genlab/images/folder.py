"""Images of a folder: which files count, in which order, and what is left out."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from genlab.errors import DataError
from genlab.images.read import IMAGE_EXTENSIONS
from genlab.util.arguments import checked_arguments
from genlab.util.files import is_text

_NOWHERE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR}
_KINDS, _EXAMPLES = 12, 3


class ImageFolder(NamedTuple):
    """The images in a folder and in those below it.

    Args:
        folder: the folder.
        files: the images' paths, relative to it, in natural order: `2.jpg` before `10.jpg`.
        left_out: paths of what is not read, relative to it, by kind, such as `hidden` or `.txt`.
    """

    folder: Path
    files: list[Path]
    left_out: dict[str, list[str]]


@checked_arguments
def find_images(folder: Path) -> ImageFolder:
    """Find the images in a folder and in those below it, by their extensions.

    Links to files and to folders are followed. Left out, by kind, are what is hidden (a hidden folder counts as one),
    files of other formats, links that lead nowhere, and special files such as named pipes, which are never opened.

    Raises:
        DataError: there is none, a folder or a link cannot be read, a link leads back to a folder that holds it, a
            name is not UTF-8, or two names differ only in how Unicode writes them (NFC and NFD).
    """
    files: list[Path] = []
    left_out: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(_walk(folder), key=_natural):
        inner = path.relative_to(folder)
        if kind := _kind_left_out(path):
            left_out[kind].append(inner.as_posix())
        else:
            files.append(inner)
    if not files:
        there = f"what is there: {describe_left_out(left_out)}" if left_out else "it is empty"
        hint = f"Images are files that end in {', '.join(IMAGE_EXTENSIONS)}."
        raise DataError(f"no image in this folder; {there}", where=str(folder), hint=hint)
    _refuse_equal_names(folder, files)
    return ImageFolder(folder, files, dict(left_out))


def describe_left_out(left_out: Mapping[str, Sequence[str]]) -> str:
    """One line on what is left out: each kind with its count and a few names, the most frequent first."""
    ordered = sorted(left_out.items(), key=lambda item: -len(item[1]))
    kinds = [f"{len(names)} {kind} ({_first(names)})" for kind, names in ordered[:_KINDS]]
    more = sum(len(names) for _, names in ordered[_KINDS:])
    return ", ".join(kinds) + (f" and {more} of other kinds" if more else "")


def _first(names: Sequence[str]) -> str:
    shown = [name if name.isprintable() else repr(name) for name in names[:_EXAMPLES]]
    return ", ".join(shown) + (", ..." if len(names) > _EXAMPLES else "")


def _natural(path: Path) -> tuple[list[str | int], str]:
    """A key that sorts paths as people count: `2.jpg` before `10.jpg`, and alike in each form of Unicode."""
    name = unicodedata.normalize("NFC", str(path))
    parts = re.split(r"([0-9]+)", name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _walk(folder: Path) -> Generator[Path]:
    """Yield all files below a folder, and hidden folders without entering them."""

    def refuse(error: OSError) -> None:
        raise _unreadable(error, str(error.filename)) from error

    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        _refuse_undecodable(parent, (*folders, *files))
        hidden = [name for name in folders if name.startswith(".")]
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            _refuse_loop(Path(parent, name))
        yield from (Path(parent, name) for name in (*hidden, *files))


def _kind_left_out(path: Path) -> str | None:
    """Kind of what is left out; None for an image."""
    if path.name.startswith("."):
        return "hidden"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in _NOWHERE:
            return "linked to nowhere"
        raise _unreadable(error, str(path)) from error
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return None if path.suffix.lower() in IMAGE_EXTENSIONS else path.suffix.lower() or "without an extension"


def _refuse_loop(folder: Path) -> None:
    """Refuse a link to a folder that holds the link: the search would never end."""
    if not folder.is_symlink():
        return
    target = folder.resolve()
    if any(parent.resolve().is_relative_to(target) for parent in folder.parents):
        what = f"this link leads back to {target}, which it lies in"
        raise DataError(what, where=str(folder), hint="Remove the link.")


def _refuse_undecodable(parent: str, names: Iterable[str]) -> None:
    """Refuse names that are not UTF-8: they are keys of pairs, and written to text files."""
    for name in names:
        if not is_text(name):
            raise DataError("the file's name is not UTF-8", where=ascii(str(Path(parent, name))), hint="Rename it.")


def _refuse_equal_names(folder: Path, files: Iterable[Path]) -> None:
    """Refuse names that look the same, as a file system that knows one form of Unicode would merge them."""
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(unicodedata.normalize("NFC", str(file)), file)
        if other != file:
            what = f"two files have the same name but for its Unicode form: {str(other)!a} and {str(file)!a}"
            raise DataError(what, where=str(folder), hint="Remove or rename one of them.")


def _unreadable(error: OSError, where: str) -> DataError:
    hint = "Change its permissions, or move it out of the data."
    return DataError(f"it cannot be read: {error.strerror}", where=where, hint=hint)
