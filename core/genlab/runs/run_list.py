"""Lists of runs, by their manifests alone. Importing this imports no torch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from genlab.errors import GenlabError, RunError
from genlab.runs.annotation import read_annotation
from genlab.runs.find_runs import find_runs
from genlab.runs.folder import RunFolder
from genlab.runs.listed_run import ListedRun
from genlab.runs.manifest import RunStatus
from genlab.runs.run_condition import parse_condition, require_known
from genlab.runs.run_order import SORTED_BY, in_order
from genlab.runs.trial_place import ablation_of
from genlab.util.arguments import as_path, checked_arguments


@dataclass(frozen=True)
class RunList:
    """Runs below a folder.

    Args:
        runs: in the order that was asked for.
        problems: folders that are no runs, or damaged ones, with the reason.
        values: names of the metrics, and dotted keys of the recipes, of all runs there, also of those left out.
    """

    runs: Sequence[ListedRun]
    problems: Mapping[Path, str]
    values: Collection[str] = ()

    def main_metric(self) -> str | None:
        """The metric that most runs have first."""
        firsts = Counter(next(iter(run.manifest.metrics), None) for run in self.runs)
        firsts.pop(None, None)
        return firsts.most_common(1)[0][0] if firsts else None


@checked_arguments
def list_runs(
    folder: str | Path = "runs",
    *,
    recipe: str = "",
    status: Iterable[RunStatus] = (),
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
        status: which of them: running, finished, paused, interrupted or failed; all by default.
        where: conditions that all hold, such as `validation/l1 < 0.2` or `generator.levels = 8`.
        tags: tags that a run has, all of them.
        sort: age (the newest first), name, recipe, size, status, step, a metric (the best first) or a dotted key of the
            recipe.
        reverse: whether to reverse that order; runs without such a value are last either way.

    Raises:
        ArgumentError: there is no such status.
        RunError: there is no such folder, or no run has a metric or a value of a name that is given.
    """
    conditions = [parse_condition(text) for text in where]
    statuses, wanted = set(status), set(tags)
    found = _read(as_path(folder))
    for condition in conditions:
        require_known(condition.name, f'"{condition.text}"', found.values)
    if sort not in SORTED_BY:
        require_known(sort, f"sort by {sort}", found.values)
    runs = [
        run
        for run in found.runs
        if recipe.lower() in f"{run.manifest.title}\n{run.name}".lower()
        and (not statuses or run.manifest.status in statuses)
        and wanted <= set(run.annotation.tags)
        and all(condition.holds(run.values) for condition in conditions)
    ]
    return replace(found, runs=in_order(runs, sort, reverse=reverse))


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
    return RunList(runs, problems, frozenset(name for run in runs for name in run.values))


def _read_run(folder: Path, path: Path) -> ListedRun:
    run = RunFolder.existing(path)
    name = path.name if path == folder else path.relative_to(folder).as_posix()
    return ListedRun(name, path, run.read(), folder_bytes(path), ablation_of(path), read_annotation(path))


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
