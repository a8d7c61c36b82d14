"""Pairing of files by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from genlab import DataError, ImageSource
from genlab_images.folders import listed
from genlab_images.paired import EncodedPair


def index_by_name(files: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """A side's files by the names of their pairs; `DataError` if two have the same name."""
    found: dict[str, Path] = {}
    for name, file in files:
        if name in found:
            what = f'two images of this side have the name "{name}": {found[name].name} and {file.name}'
            raise DataError(what, where=str(file.parent), hint="Keep one: a pair has one image on each side.")
        found[name] = file
    return found


def pair_up(a: Mapping[str, Path], b: Mapping[str, Path], where: str, hint: str) -> dict[str, EncodedPair]:
    """Pair the files that have the same name, by that name, in the order of the first side.

    Args:
        a: the first side's files, by name.
        b: the second side's.
        where: how to name their folders to a person.
        hint: how names make pairs there.

    Raises:
        DataError: some have no partner.
    """
    sides = (("a", a, b), ("b", b, a))
    alone = [
        f"{len(files)} of {len(side)} images in {label} have no partner ({listed(map(str, files))})"
        for label, side, others in sides
        if (files := [file for name, file in side.items() if name not in others])
    ]
    if alone:
        raise DataError("; ".join(alone), where=where, hint=hint)
    return {name: EncodedPair(name, ImageSource.of(file), ImageSource.of(b[name])) for name, file in a.items()}
