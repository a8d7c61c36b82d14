"""An ablation from its recipe to its outcome: what is there counts, and only what is missing is trained."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import tomli_w
import torch

from genlab.ablation.eta import TimeEstimate
from genlab.ablation.execute import execute
from genlab.ablation.folder import AblationFolder
from genlab.ablation.identity import Identity, identity
from genlab.ablation.jobs import Executor, Job, JobEvent
from genlab.ablation.outcome import Outcome, read_outcome
from genlab.ablation.plan import Cell, Plan, make_plan
from genlab.ablation.report import write_ablation_report
from genlab.assemble.experiment import OpenData, build_networks, construct, open_data, prepare, settle
from genlab.assemble.facts import count_parameters
from genlab.assemble.recipe import Recipe
from genlab.config.load import load_recipe
from genlab.engine.checkpoint import forget_optimizers
from genlab.engine.listener_list import ListenerList
from genlab.engine.validation import try_metrics
from genlab.errors import RunError
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins
from genlab.runs.provenance import code_digests, fingerprints
from genlab.util.files import write_text


@dataclass(frozen=True)
class SettledCell:
    """A cell as it is trained on this machine.

    Args:
        cell: the plan's.
        recipe: with its data, device and threads chosen.
        identity: what makes it the cell that it is.
    """

    cell: Cell
    recipe: Recipe
    identity: Identity


class Ablation:
    """An ablation in its folder, planned and settled, before anything is trained.

    Args:
        recipe: the path of a recipe with an `[ablation]`, or the name of one that ships with genlab.
        path: the ablation's folder, which may be there from before.
        overrides: `KEY=VALUE` texts, laid over the recipe and under its arms.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong with the recipe and its arms.
        DataError: the data cannot be had.
    """

    def __init__(
        self, recipe: str | Path, path: Path, *, overrides: Iterable[str] = (), plugins: Sequence[Path] = ()
    ) -> None:
        self.plugins = [path.expanduser().absolute() for path in plugins]
        document = load_recipe(recipe, overrides)
        self.plan: Plan = make_plan(document, Components(find_plugins(self.plugins)))
        self.tables: Mapping[str, Any] = document.values
        self._data: dict[str, OpenData] = {}
        self._fingerprints: dict[str, dict[str, str]] = {}
        self.cells = [self._settled(cell) for cell in self.plan.cells]
        self._refuse_different_measures()
        self.folder = AblationFolder(path)

    @property
    def slots(self) -> int:
        """Default number of cells to train at a time: one, or one per GPU."""
        return max(1, len(self._gpus))

    @cached_property
    def parameters(self) -> dict[str, dict[str, int]]:
        """Number of parameters of each arm's networks, by role."""
        return {arm: self._parameters(next(s for s in self.cells if s.cell.arm == arm)) for arm in self.plan.arms}

    def time_estimate(self) -> TimeEstimate:
        """Time estimate from the cells that are finished and those that are missing."""
        measured: dict[str, list[float]] = {}
        missing: dict[str, str] = {}
        for settled in self.cells:
            arm = settled.cell.arm
            if manifest := self.folder.finished(arm, settled.cell.seed, settled.identity):
                measured.setdefault(arm, []).append(manifest.seconds)
            else:
                missing[str(settled.cell)] = arm
        return TimeEstimate(measured, missing)

    def run(
        self, jobs: int, retrain: bool, on_event: Callable[[JobEvent], None], executor: Executor = execute
    ) -> Outcome:
        """Train what is missing, and read what came of it.

        Args:
            jobs: how many cells to train at a time.
            retrain: whether to train again what was trained with other code.
            on_event: called with each event.
            executor: trains the cells; worker processes by default.

        Raises:
            RunError: the folder is something else's or in use, or cells were trained with other code.
        """
        self.folder = AblationFolder.at(self.folder.path)
        with self.folder.locked():
            if not retrain:
                self._refuse_other_code()
            waiting = self._waiting()
            if waiting:
                executor(waiting, self._environments(jobs), self.folder.path / "workers.log", on_event)
            wanted = {str(settled.cell): settled.identity for settled in self.cells}
            outcome = read_outcome(self.plan, self.folder, wanted)
            write_ablation_report(outcome, self.folder, self.parameters)
            self._listeners().emit(outcome.compared(self.folder.path))
            return outcome

    def _listeners(self) -> ListenerList:
        """The recipe's listeners, those of the first cell."""
        cell = self.plan.cells[0]
        return ListenerList(list(construct(cell.recipe, cell.document).listeners.items()))

    def _settled(self, cell: Cell) -> SettledCell:
        recipe = settle(cell.recipe, self._opened(cell))
        return SettledCell(cell, recipe, identity(recipe.tables(), self._measured(cell), code_digests(recipe)))

    def _opened(self, cell: Cell) -> OpenData:
        """The data of a cell, opened once for all cells that have the same."""
        key = repr(cell.recipe.data.table())
        if key not in self._data:
            self._data[key] = open_data(cell.recipe.data.build_parts())
        return self._data[key]

    def _measured(self, cell: Cell) -> dict[str, str]:
        """The fingerprints of all that a cell reads, once its metrics have measured a pair.

        So what cannot be measured is found here, before anything is trained, and once for all cells that do the same.
        """
        tables = cell.recipe.tables()
        key = repr((tables["data"], tables["input"], tables["method"], tables["evaluate"]["metrics"]))
        if key not in self._fingerprints:
            data = self._opened(cell)
            metrics = construct(replace(cell.recipe, losses={}, listeners={}), cell.document).metrics
            try_metrics(metrics, prepare(cell.recipe, data.validation))
            self._fingerprints[key] = fingerprints(data, metrics)
        return self._fingerprints[key]

    def _parameters(self, settled: SettledCell) -> dict[str, int]:
        recipe, document = settled.recipe, settled.cell.document
        channels = prepare(recipe, self._opened(settled.cell).training).channels
        return {role: count_parameters(network) for role, network in build_networks(recipe, channels, document).items()}

    def _refuse_different_measures(self) -> None:
        """Raise if arms are measured with different things, such as two judges."""
        found = [self._measured(cell) for cell in self.plan.cells]
        for name in sorted(set().union(*found) - {"train", "validation"}):
            if len({fingerprints.get(name) for fingerprints in found}) > 1:
                what = f"arms measure with different things under {name}, and such figures cannot be compared"
                raise RunError(what, where=self.plan.title, hint="Give the metric the same settings in every arm.")

    def _refuse_other_code(self) -> None:
        changed = {
            str(settled.cell): found
            for settled in self.cells
            if (found := self.folder.changed_code(settled.cell.arm, settled.cell.seed, settled.identity))
        }
        if changed:
            what = "; ".join(dict.fromkeys(name for names in changed.values() for name in names))
            first, count = next(iter(changed)), len(changed)
            cells = first if count == 1 else f"{count} cells ({first}, ...)"
            raise RunError(
                f"{cells} were trained with other code, and results of both must not be mixed; changed since: {what}",
                where=str(self.folder.path),
                hint="Bring the code back as it was, take another --out, or train them again with --retrain.",
            )

    def _waiting(self) -> list[Job]:
        """The cells that are not finished, seed by seed, so that whatever is there can be compared early."""
        self.folder.keep_only({(settled.cell.arm, settled.cell.seed) for settled in self.cells})
        write_text(self.folder.recipe_path, tomli_w.dumps(self.tables))
        planned = self.folder.path / "planned"
        planned.mkdir(exist_ok=True)
        waiting: list[Job] = []
        for settled in sorted(self.cells, key=lambda settled: self.plan.settings.seeds.index(settled.cell.seed)):
            cell = settled.cell
            run = self.folder.bring(cell.arm, cell.seed, settled.identity)
            if (run.path / "run.json").is_file() and run.read().status == "finished":
                # The process that trained it may have been killed before it did so.
                if last := run.last_checkpoint():
                    forget_optimizers(last)
                continue
            recipe = planned / f"{cell.arm}.seed-{cell.seed}.toml"
            write_text(recipe, settled.recipe.toml())
            waiting.append(Job(str(cell), recipe.absolute(), run.path.absolute(), self.plugins))
        return waiting

    @property
    def _gpus(self) -> list[str]:
        if self.cells[0].recipe.settings.train.device != "cuda":
            return []
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]

    def _environments(self, jobs: int) -> list[dict[str, str]]:
        """A slot each; where there are GPUs, each slot sees one of them."""
        gpus = self._gpus
        return [{"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} if gpus else {} for slot in range(jobs)]
