"""Search for a dataset's folders, with errors that name those that are there."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from unicodedata import normalize

from genlab import DataError, DataUnavailableError, ImageFolder


def find_root(root: Path) -> Path:
    """The folder with its `~` expanded; `DataUnavailableError` if it is not there."""
    try:
        folder = root.expanduser()
        if folder.is_dir():
            return folder
        is_there = folder.exists()
    except (OSError, RuntimeError) as error:  # it may not be entered, or there is no user of that name
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"the folder cannot be read: {reason}", where=str(root)) from error
    if is_there:
        raise DataError("this is a file, not a folder", where=str(folder), hint="Unpack it if it is an archive.")
    taken = "" if folder.is_absolute() else f" A relative path is taken from the working directory, {Path.cwd()}."
    hint = f'Set "root" to the folder that holds the data.{taken}'
    raise DataUnavailableError("there is no such folder", where=str(folder), hint=hint)


def find_folder(parent: Path, path: str, *settings: str) -> Path:
    """A folder below another, whichever form of Unicode its name is written in; `DataError` lists those that are there.

    Args:
        parent: a folder that is there.
        path: the folder looked for, relative to it.
        settings: the settings that the path came from.
    """
    for name in Path(path).parts:
        parent = _find_child(parent, name, settings)
    return parent


def _find_child(parent: Path, name: str, settings: Sequence[str]) -> Path:
    if is_folder(parent / name):
        return parent / name
    others = subfolders(parent)
    for other in others:
        if normalize("NFC", other) == normalize("NFC", name):
            return parent / other
    there = f"the folders there are {', '.join(others)}" if others else "there is no folder in it"
    near = get_close_matches(name, others, n=1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    if not others and settings[0] in ("train", "validation"):
        hint = 'Without folders of splits, set train = "." and validation = 0.1, a share of the pairs. '
    named = f"{_quoted(settings)} {'name' if len(settings) > 1 else 'names'} it"
    raise DataError(f'no folder "{name}"; {there}', where=str(parent), hint=f"{hint}{named}.")


def _quoted(settings: Sequence[str]) -> str:
    *first, last = (f'"{setting}"' for setting in settings)
    return f"The settings {', '.join(first)} and {last}" if first else f"The setting {last}"


def folders_in(root: Path) -> Callable[[str], bool]:
    """A test of whether a path leads to a folder in another one, whichever form of Unicode its name is written in."""
    return lambda path: any(is_folder(root / normalize(form, path)) for form in ("NFC", "NFD"))


def is_folder(path: Path) -> bool:
    """True for a folder; False where it cannot be seen, unlike `Path.is_dir`, which raises there."""
    return os.path.isdir(path)  # noqa: PTH112


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder that are not hidden; `DataError` if it cannot be read."""
    return [name for name in names_in(folder) if is_folder(folder / name)]


def names_in(folder: Path) -> list[str]:
    """Names of what is in a folder and not hidden; `DataError` if it cannot be read."""
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"the folder cannot be read: {error.strerror}", where=str(folder)) from error


def left_out_below(root: Path, *found: ImageFolder) -> dict[str, list[str]]:
    """Names of what several folders of a dataset hold and no pair is made of, by kind, relative to its root."""
    left_out: defaultdict[str, list[str]] = defaultdict(list)
    for folder, _, kinds in found:
        for kind, names in kinds.items():
            left_out[kind] += [os.path.relpath(folder / name, root) for name in names]
    return dict(left_out)


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    named = list(names)
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more
