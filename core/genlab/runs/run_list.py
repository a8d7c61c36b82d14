"""Lists of runs, by their manifests alone. Importing this imports no torch."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

from genlab.config.changed_values import dotted_values
from genlab.errors import GenlabError, RunError
from genlab.runs.annotation import RunAnnotation, read_annotation
from genlab.runs.find_runs import find_runs
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest
from genlab.runs.run_condition import parse_condition, require_known
from genlab.runs.trial_place import ablation_of
from genlab.util.arguments import as_list, as_path


@dataclass(frozen=True)
class ListedRun:
    """One run of a list.

    Args:
        name: its folder's path below the folder that was listed.
        path: its folder.
        manifest: its manifest.
        bytes: size on disk.
        ablation: folder of the ablation that it is a trial of.
        annotation: its note and tags.
    """

    name: str
    path: Path
    manifest: Manifest
    bytes: int
    ablation: Path | None
    annotation: RunAnnotation

    @property
    def updated(self) -> datetime:
        """Time of its last checkpoint, validation or end."""
        return self.manifest.updated

    @cached_property
    def values(self) -> dict[str, Any]:
        """Its last metrics by name, and the values of its recipe by dotted key."""
        return {**dict(dotted_values(self.manifest.recipe or {})), **self.manifest.metrics}

    def can_resume(self) -> bool:
        """True for a run that `gen resume` continues as it is: stopped, and with an optimizer's state or no step."""
        is_stopped = self.manifest.status not in ("running", "finished")
        folder = RunFolder(self.path)
        return is_stopped and (folder.can_continue() or folder.last_checkpoint() is None)

    def as_dict(self) -> dict[str, Any]:
        """All of it in plain values."""
        manifest = self.manifest
        return {
            "name": self.name,
            "path": str(self.path),
            "recipe": manifest.title,
            "status": manifest.status,
            "failure": manifest.failure,
            "step": manifest.step,
            "steps": manifest.steps,
            "metrics": manifest.metrics,
            "bytes": self.bytes,
            "created": manifest.created.isoformat(timespec="seconds"),
            "updated": manifest.updated.isoformat(timespec="seconds"),
            "trial_of": self.ablation and str(self.ablation),
            **self.annotation.model_dump(),
        }


@dataclass(frozen=True)
class RunList:
    """Runs below a folder.

    Args:
        runs: in the order that was asked for.
        problems: folders that are no runs, or damaged ones, with the reason.
    """

    runs: Sequence[ListedRun]
    problems: Mapping[Path, str]

    def main_metric(self) -> str | None:
        """The metric that most runs have first."""
        firsts = Counter(next(iter(run.manifest.metrics), None) for run in self.runs)
        firsts.pop(None, None)
        return firsts.most_common(1)[0][0] if firsts else None


_SORTED_BY: Mapping[str, Callable[[ListedRun], Any]] = {
    "age": lambda run: -run.updated.timestamp(),
    "name": lambda run: run.name,
    "recipe": lambda run: run.manifest.title,
    "size": lambda run: run.bytes,
    "status": lambda run: run.manifest.status,
    "step": lambda run: run.manifest.step,
}


def list_runs(
    folder: str | Path = "runs",
    *,
    recipe: str = "",
    status: Iterable[str] = (),
    where: Iterable[str] = (),
    tags: Iterable[str] = (),
    sort: str = "age",
    reverse: bool = False,
) -> RunList:
    """List the runs in a folder and below it, with trials of ablations.

    Only manifests, notes and the sizes of files are read, and no code of a run is run.

    Args:
        folder: where to look.
        recipe: a part of the recipe's title or of the run's name, in any case.
        status: which of them, such as `finished`; all by default.
        where: conditions that all hold, such as `validation/l1 < 0.2` or `generator.levels = 8`.
        tags: tags that a run has, all of them.
        sort: age (the newest first), name, recipe, size, status, step, a metric or a dotted key of the recipe.
        reverse: whether to reverse that order; runs without such a value are last either way.

    Raises:
        RunError: there is no such folder, or no run has a metric or a value of a name that is given.
    """
    conditions = [parse_condition(text) for text in as_list(where, "where")]
    statuses, wanted = set(as_list(status, "status")), set(as_list(tags, "tags"))
    found = _read(as_path(folder))
    for condition in conditions:
        require_known(condition.name, f'"{condition.text}"', (run.values for run in found.runs))
    if sort not in _SORTED_BY:
        require_known(sort, f"sort by {sort}", (run.values for run in found.runs))
    runs = [
        run
        for run in found.runs
        if recipe.lower() in f"{run.manifest.title}\n{run.name}".lower()
        and (not statuses or run.manifest.status in statuses)
        and wanted <= set(run.annotation.tags)
        and all(condition.holds(run.values) for condition in conditions)
    ]
    return RunList(_in_order(runs, sort, reverse=reverse), found.problems)


def _read(folder: Path) -> RunList:
    runs: list[ListedRun] = []
    problems: dict[Path, str] = {}
    for path, problem in find_runs(folder):
        if problem:
            problems[path] = problem
            continue
        try:
            runs.append(_read_run(folder, path))
        except GenlabError as error:
            problems[path] = error.what
    return RunList(runs, problems)


def _read_run(folder: Path, path: Path) -> ListedRun:
    run = RunFolder.existing(path)
    name = path.name if path == folder else path.relative_to(folder).as_posix()
    return ListedRun(name, path, run.read(), folder_bytes(path), ablation_of(path), read_annotation(path))


def _in_order(runs: Sequence[ListedRun], sort: str, *, reverse: bool) -> list[ListedRun]:
    keys = [_SORTED_BY[sort](run) if sort in _SORTED_BY else run.values.get(sort) for run in runs]
    there = [(key, run) for key, run in zip(keys, runs, strict=True) if not _is_nothing(key)]
    if not all(isinstance(key, int | float) for key, _ in there):
        there = [(str(key), run) for key, run in there]
    rest = [run for key, run in zip(keys, runs, strict=True) if _is_nothing(key)]
    return [*(run for _, run in sorted(there, key=itemgetter(0), reverse=reverse)), *rest]


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def folder_bytes(folder: Path) -> int:
    """Size in bytes of all files below a folder; links are not followed, and what vanishes meanwhile is not counted."""
    total, pending = 0, [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                        continue
                    with suppress(FileNotFoundError):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def newest_to_resume(folder: Path) -> RunFolder:
    """The run below a folder that was stopped last and can be resumed; trials are the ablation's.

    Raises:
        RunError: there is none.
    """
    runs = list_runs(folder).runs
    for run in runs:
        if run.ablation is None and run.can_resume():
            return RunFolder(run.path)
    own = [run for run in runs if run.ablation is None]
    listed = ", ".join(f"{run.name} ({run.manifest.status})" for run in own[:5]) + (", ..." if own[5:] else "")
    what = f"no run there can be resumed: {listed}" if own else "there is no run there"
    trials = " `gen ablate RECIPE` continues an ablation." if len(own) < len(runs) else ""
    hint = f"`gen resume RUN --set train.steps=N` continues a finished run.{trials}"
    raise RunError(what, where=str(folder), hint=hint)
