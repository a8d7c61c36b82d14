"""Folders of images: which files count, in which order, and what to say of a folder that is not as expected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from genlab import IMAGE_EXTENSIONS, DataError, DataUnavailableError


def find_root(root: Path) -> Path:
    """The folder with its `~` expanded; `DataUnavailableError` if it is not there."""
    folder = root.expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise DataError("this is a file, not a folder", where=str(folder), hint="Unpack it if it is an archive.")
    taken = "" if folder.is_absolute() else f" A relative path is taken from the working directory, {Path.cwd()}."
    hint = f'Set "root" to the folder that holds the data.{taken}'
    raise DataUnavailableError("there is no such folder", where=str(folder), hint=hint)


def find_folder(parent: Path, name: str, setting: str) -> Path:
    """A folder within another; `DataError` tells which ones are there.

    Args:
        parent: a folder that is there.
        name: the folder looked for.
        setting: the setting that the name came from.
    """
    folder = parent / name
    if folder.is_dir():
        return folder
    others = sorted((path.name for path in parent.iterdir() if path.is_dir() and not _hidden(path)), key=natural)
    there = f"the folders there are {', '.join(others)}" if others else "there is no folder in it"
    near = get_close_matches(name, others, n=1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    raise DataError(f'no folder "{name}"; {there}', where=str(parent), hint=f'{hint}The setting "{setting}" names it.')


def image_files(folder: Path) -> list[Path]:
    """The images in a folder and in those below it, relative to it, in natural order; hidden ones don't count.

    Raises:
        DataError: there is none.
    """
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    files = [path for path in paths if not _hidden(path) and (folder / path).is_file()]
    images = sorted(
        (path for path in files if path.suffix.lower() in IMAGE_EXTENSIONS), key=lambda path: natural(str(path))
    )
    for image in images:
        # A pair's key is its file's name, and stands in text files.
        try:
            str(image).encode()
        except UnicodeEncodeError as error:
            what = "the file's name is not UTF-8 text"
            raise DataError(what, where=ascii(str(folder / image)), hint="Rename it.") from error
    if images:
        return images
    counted = f"Images are files that end in {', '.join(IMAGE_EXTENSIONS)}."
    raise DataError(f"no image in this folder; {_census(files)}", where=str(folder), hint=counted)


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts names as people count: `2.jpg` before `10.jpg`."""
    parts = re.split(r"(\d+)", name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    named = list(names)
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more


def _census(files: list[Path]) -> str:
    if not files:
        return "it is empty"
    kinds = Counter(path.suffix.lower() or "without an extension" for path in files)
    return "the files there are " + listed(f"{count} {kind}" for kind, count in kinds.most_common())


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
