"""Notes and tags of runs, which people write, in a file of their own. Importing this imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from genlab.errors import ArgumentError, RunError
from genlab.runs.folder import RunFolder
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.bounded import read_bounded
from genlab.util.files import write_json


class RunAnnotation(BaseModel):
    """Note and tags of a run, `notes.json` in its folder.

    Nothing else reads that file: it changes neither fingerprints nor what a resume does.

    Args:
        note: text of any length; empty without a note.
        tags: words, sorted.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    note: str = ""
    tags: list[str] = []


def read_annotation(run: Path) -> RunAnnotation:
    """Read a run's note and tags, empty if it has none; `RunError` if the file is damaged."""
    path = _path(run)
    try:
        return RunAnnotation.model_validate_json(read_bounded(path))
    except FileNotFoundError:
        return RunAnnotation()
    except (OSError, ValidationError) as error:
        what = "its note and tags cannot be read"
        raise RunError(what, where=str(path), hint="Restore the file, or remove it.") from error


@checked_arguments
def annotate_run(
    run: str | Path, *, note: str | None = None, tags: Iterable[str] = (), untag: Iterable[str] = ()
) -> RunAnnotation:
    """Set the note of a run, and add and remove tags.

    Args:
        run: the run's folder.
        note: the note, in place of the one that it has; an empty text removes it.
        tags: tags to add.
        untag: tags to remove.

    Returns:
        What the run has now.

    Raises:
        RunError: not a run, or a damaged `notes.json`.
        ArgumentError: a tag is not a word.
    """
    added = list(tags)
    for tag in added:
        if not re.fullmatch(r"[^\s,]+", tag):
            raise ArgumentError(f"expected a word without spaces and commas, got {tag!r}", where="tags")
    folder = RunFolder.existing(as_path(run))
    folder.refuse_links()
    before = read_annotation(folder.path)
    wanted = sorted({*before.tags, *added} - {*untag})
    after = RunAnnotation(note=before.note if note is None else note, tags=wanted)
    write_json(_path(folder.path), after.model_dump())
    return after


def _path(run: Path) -> Path:
    return run / "notes.json"
