"""Record of what an ablation planned, from which workers on any machine train its trials.

Importing this imports no torch.

planned/trials.json        arms, seeds and identities
planned/ARM.seed-N.toml    settled recipes
planned/plugins/           plugins that were given as files, as they were read then
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from genlab.ablation.jobs import Job
from genlab.ablation.sequential import SeedSchedule, find_standings
from genlab.config.schema import AblationTable
from genlab.errors import RunError
from genlab.runs.folder import RunFolder
from genlab.util.bounded import MIB, read_bounded
from genlab.util.files import write_text

_MOST = 1024 * MIB


class PlannedRun(BaseModel):
    """A trial as it was planned.

    Args:
        arm: its arm.
        seed: its seed.
        steps: the length of its training.
        identity: digests of its recipe, data and code.
    """

    arm: str
    seed: int
    steps: int
    identity: dict[str, str]

    @property
    def name(self) -> str:
        """Display name."""
        return f"{self.arm}, seed {self.seed}"

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.arm}.seed-{self.seed}"


class PlannedWork(BaseModel):
    """All trials of an ablation, by arm and seed.

    Args:
        host: the machine that planned it.
        settings: its `[ablation]`.
        plugins: names of the plugins that were given as files.
        trials: every arm with every seed that it may get, arm by arm.
    """

    model_config = ConfigDict(extra="forbid")

    host: str
    settings: AblationTable
    plugins: list[str]
    trials: list[PlannedRun]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        arms, seeds = {trial.arm for trial in self.trials}, set(self.schedule.seeds)
        if any(Path(arm).name != arm for arm in arms) or self.settings.baseline not in arms:
            raise ValueError("its arms are not those of an ablation")
        if not all(trial.seed in seeds for trial in self.trials):
            raise ValueError("it has other seeds than its ablation")
        return self

    @classmethod
    def read(cls, ablation: Path) -> PlannedWork:
        """Read the record of an ablation's folder; `RunError` if there is none."""
        path = record_path(ablation)
        where = f"{ablation.absolute()} on {platform.node()}"
        try:
            return cls.model_validate_json(read_bounded(path, _MOST))
        except FileNotFoundError as error:
            what = "no trials are planned here" if ablation.is_dir() else "there is no such folder"
            hint = (
                "Plan them with `gen ablate RECIPE --out FOLDER`. Every machine has to reach the same folder, on a "
                "file system that they share."
            )
            raise RunError(what, where=where, hint=hint) from error
        except (OSError, ValidationError) as error:
            hint = "Write it anew with this genlab: gen ablate RECIPE --out FOLDER"
            raise RunError("cannot be read as a record of planned trials", where=str(path), hint=hint) from error

    def write(self, ablation: Path) -> None:
        """Write the record into an ablation's folder."""
        write_text(record_path(ablation), self.model_dump_json() + "\n")

    @property
    def schedule(self) -> SeedSchedule:
        """All seeds that an arm may get, and when the results are looked at."""
        return SeedSchedule.of(self.settings)

    def jobs(self, ablation: Path) -> list[Job]:
        """The trials that are wanted by what is finished, seed by seed, so that arms can be compared early."""
        base = ablation.absolute()
        plugins = [base / "planned" / "plugins" / name for name in self.plugins]
        order = {seed: place for place, seed in enumerate(self.schedule.seeds)}
        return [
            Job(
                trial.name,
                base / "planned" / f"{trial.stem}.toml",
                base / "trials" / trial.arm / f"seed-{trial.seed}",
                plugins,
                trial.identity,
                self.host,
            )
            for trial in sorted(self._wanted(base), key=lambda trial: order[trial.seed])
        ]

    def _wanted(self, ablation: Path) -> list[PlannedRun]:
        schedule, baseline = self.schedule, self.settings.baseline
        if not schedule.is_sequential:
            return self.trials
        scores: dict[str, dict[int, float]] = {trial.arm: {} for trial in self.trials}
        for trial in self.trials:
            if (score := self._score(ablation / "trials" / trial.arm / f"seed-{trial.seed}")) is not None:
                scores[trial.arm][trial.seed] = score
        standings = find_standings(scores.pop(baseline), scores, schedule)
        counts = {arm: standing.wanted for arm, standing in standings.items()}
        counts[baseline] = max(counts.values())
        seeds = {arm: set(schedule.seeds[:count]) for arm, count in counts.items()}
        return [trial for trial in self.trials if trial.seed in seeds[trial.arm]]

    def _score(self, run: Path) -> float | None:
        """The primary metric of a run; None if it is not finished."""
        try:
            manifest = RunFolder(run).stored()
        except RunError:
            return None
        return manifest.metrics.get(self.settings.metric) if manifest.status == "finished" else None


def record_path(ablation: Path) -> Path:
    """Path of the record in an ablation's folder."""
    return ablation / "planned" / "trials.json"
