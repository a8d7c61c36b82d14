"""Workers of an ablation, each a process of its own, that find each other by its folder alone."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.conftest import GenCommand
from tests.core.ablation.outputs import figures, weights
from tests.manifests import read_manifest

import genlab
from genlab import RunError
from genlab.ablation.claim import HEARTBEAT, Claim
from genlab.ablation.claim_watch import ClaimWatch, HeldTrial
from genlab.ablation.jobs import JobEnded, JobEvent, JobStarted
from genlab.ablation.kept_claim import kept_claim
from genlab.ablation.planned_work import PlannedWork
from genlab.ablation.results import read_result
from genlab.ablation.work import AblationWorker

Start = Callable[..., subprocess.Popen[str]]

SLOW = """
import time
from pathlib import Path

import genlab


FLAG = Path({flag!r})


class Slow(genlab.Listener):
    \"\"\"Takes its time with each step as long as a file is there, and stays at the third if the file says so.\"\"\"

    def step(self, event):
        time.sleep(0.3 if FLAG.exists() else 0)
        while event.step == 3 and FLAG.exists() and FLAG.read_text():
            time.sleep(0.02)


@genlab.hookimpl
def genlab_register(registry):
    registry.listener("slow", Slow)
"""


@pytest.fixture
def planned(recipe: Path, tmp_path: Path) -> Path:
    """The folder of an ablation of four trials that is planned, and nothing of it trained; each step is slow."""
    (tmp_path / "slow.py").write_text(SLOW.format(flag=str(tmp_path / "flag")))
    (tmp_path / "flag").write_text("stay")
    more = "\n[listeners.slow]\n[checkpoint]\nminutes = 0.00001\n"
    recipe.write_text(recipe.read_text() + more)
    genlab.plan_ablation(recipe, out=tmp_path / "out", plugins=[tmp_path / "slow.py"]).publish()
    return tmp_path / "out"


@pytest.fixture
def start(python: list[str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command beside the test; whatever still runs at its end is killed."""
    with ExitStack() as stack:

        def call(*arguments: str | Path) -> subprocess.Popen[str]:
            command = [*python, "-m", "genlab", *map(str, arguments)]
            process = subprocess.Popen(
                command, stderr=subprocess.PIPE, text=True, env={**os.environ, HEARTBEAT: "0.25"}
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield call


def await_true(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def holders(folder: Path) -> dict[str, int]:
    """The processes that train trials, by trial, once they have trained two steps."""
    found: dict[str, int] = {}
    for path in folder.glob("claims/*@*"):
        with suppress(OSError, ValueError):
            content = json.loads(path.read_text())
            if content["step"] >= 2:
                found[path.name.partition("@")[0]] = content["pid"]
    return found


def owner(folder: Path, trial: str) -> str | None:
    return next((path.name for path in folder.glob(f"claims/{trial}@*")), None)


def statuses(folder: Path) -> list[str]:
    return [read_manifest(path.parent)["status"] for path in sorted(folder.glob("trials/*/*/run.json"))]


def is_checkpointed(folder: Path, trial: str) -> bool:
    arm, _, seed = trial.partition(".")
    return bool(list(folder.glob(f"trials/{arm}/{seed}/checkpoints/[0-9]*")))


def leave_claim(folder: Path, trial: str) -> None:
    """Have a process claim a trial and end without giving it back, as one that is killed right after its last step."""
    take = f"Claim(Path({str(folder / 'claims')!r}), {trial!r}, 'gone').take()"
    code = f"from pathlib import Path; from genlab.ablation.claim import Claim; {take}"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (folder / "claims" / trial).exists()


@pytest.mark.parametrize(
    "change", [{"arm": "../../evil"}, {"seed": -5}, {"arm": "other", "seed": 0}], ids=["path", "seed", "baseline"]
)
def test_a_record_that_disagrees_with_itself_is_an_error(planned: Path, change: dict[str, object]) -> None:
    record = planned / "planned" / "trials.json"
    values = json.loads(record.read_text())
    changed = values["trials"] if "arm" in change else values["trials"][:1]
    for trial in changed:
        trial.update(change)
    record.write_text(json.dumps(values))
    with pytest.raises(RunError, match="cannot be read as a record of planned trials"):
        AblationWorker(planned)


def test_what_a_killed_worker_left_is_resumed_by_the_other(
    planned: Path, recipe: Path, whole: Path, start: Start, tmp_path: Path
) -> None:
    killed = start("work", planned)
    await_true(lambda: holders(planned))
    other = start("work", planned)
    (left,) = holders(planned)
    await_true(lambda: len(holders(planned)) == 2 and is_checkpointed(planned, left))
    trainer = holders(planned)[left]  # before the first step it is the process that started it
    killed.kill()
    os.kill(trainer, signal.SIGKILL)
    (tmp_path / "flag").unlink()
    _, told = other.communicate(timeout=60)
    assert other.returncode == 0, told
    killed.communicate()
    arm, _, seed = left.partition(".seed-")
    assert f"left        {arm}, seed {seed}" in told, told
    assert f"finished    {arm}, seed {seed}" in told
    assert statuses(planned) == ["finished"] * 4
    assert not list((planned / "claims").iterdir())
    leave_claim(planned, left)
    result = genlab.ablate(recipe, out=planned, plugins=[tmp_path / "slow.py"])
    assert not list((planned / "claims").iterdir())
    assert result.is_complete
    assert figures(planned) == figures(whole)
    assert weights(planned) == weights(whole)


def test_a_frozen_worker_that_lost_its_trial_leaves_it_and_goes_on_beside_local_jobs(
    planned: Path, recipe: Path, whole: Path, start: Start, tmp_path: Path
) -> None:
    frozen = start("work", planned)
    await_true(lambda: any(is_checkpointed(planned, trial) for trial in holders(planned)))
    ((left, trainer),) = holders(planned).items()
    before = owner(planned, left)
    os.kill(trainer, signal.SIGSTOP)
    (tmp_path / "flag").unlink()
    command = ["ablate", recipe, "--out", planned, "--plugin", tmp_path / "slow.py", "--jobs", "1"]
    local = start(*command)
    await_true(lambda: owner(planned, left) not in (None, before))
    os.kill(trainer, signal.SIGCONT)
    for process in (frozen, local):
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        if process is frozen:
            arm, _, seed = left.partition(".seed-")
            assert f"left        {arm}, seed {seed}" in told
    assert figures(planned) == figures(whole)
    assert weights(planned) == weights(whole)


def test_what_is_stopped_is_left_to_be_resumed(planned: Path, tmp_path: Path) -> None:
    (tmp_path / "flag").write_text("")
    told: list[JobEvent] = []
    AblationWorker(planned).train(told.append, lambda: is_checkpointed(planned, "skips.seed-0"))
    assert isinstance(told[0], JobStarted)
    assert isinstance(told[-1], JobEnded)
    assert told[-1].status == "interrupted"
    assert statuses(planned) == ["interrupted"]
    assert not list((planned / "claims").iterdir())


def test_a_process_that_takes_long_to_start_does_not_lose_its_trial(
    planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HEARTBEAT, "0.05")  # what stands still for 0.6 seconds is lost
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "sitecustomize.py").write_text("import time; time.sleep(1.5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "late"), prepend=os.pathsep)
    (tmp_path / "flag").write_text("")
    watch, seen = ClaimWatch(planned / "claims"), list[HeldTrial]()

    def is_over() -> bool:
        seen.extend(watch.look().values())
        return is_checkpointed(planned, "skips.seed-0")

    AblationWorker(planned).train(lambda _event: None, is_over)
    assert statuses(planned) == ["interrupted"]
    assert seen[-1].is_alive
    assert not any(held.is_lost for held in seen)


def test_a_time_limit_is_no_failure(planned: Path, gen: GenCommand) -> None:
    done = gen("work", planned, "--until", "1s")
    assert done.returncode == 0, done.stderr
    assert "The time is up" in done.stderr
    assert not list((planned / "claims").iterdir())


def test_other_code_on_a_node_is_an_error_that_names_both(planned: Path, gen: GenCommand) -> None:
    work = PlannedWork.read(planned)
    for trial in work.trials:
        trial.identity |= {"the code of genlab_pix2pix": "0" * 64, "the data": "1" * 64}
    work.model_copy(update={"host": "node-7"}).write(planned)
    done = gen("work", planned)
    assert done.returncode == 2, done.stderr
    assert "the data and the code of genlab_pix2pix" in done.stderr
    assert "not what was on node-7" in done.stderr
    assert platform.node() in done.stderr
    assert not list(planned.glob("trials/*/*/run.json"))
    assert not (planned / "failed").exists()


def test_code_in_a_folder_is_run_by_consent(planned: Path, gen: GenCommand, tmp_path: Path) -> None:
    done = gen("work", planned, GENLAB_TRUSTED=str(tmp_path / "trusts-nothing"))
    assert done.returncode == 2
    assert "slow.py" in done.stderr
    assert "--trust" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "there is no such folder"),
        (["."], "no trials are planned here"),
        (["out", "--until", "soon"], "expected a time such as 3h50m"),
        (["out", "--until", "0m"], "expected a time such as 3h50m"),
    ],
)
def test_bad_input_is_told(gen: GenCommand, arguments: list[str], told: str) -> None:
    done = gen("work", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert told in " ".join(done.stderr.replace("│", " ").split()), done.stderr


def test_another_recipe_does_not_take_a_trial_from_its_worker(
    planned: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HEARTBEAT, "0.05")
    claim = Claim(planned / "claims", "skips.seed-0", "holder")
    assert claim.take()
    (tmp_path / "flag").unlink()
    place, plugins = planned / "trials" / "skips" / "seed-0", [tmp_path / "slow.py"]
    genlab.train(planned / "planned" / "skips.seed-0.toml", out=place, stop_at=1, plugins=plugins)
    other = genlab.plan_ablation(recipe, out=planned, overrides=["train.steps=3"], plugins=plugins)
    with kept_claim(claim):
        with pytest.raises(RunError, match="skips, seed 0 is being trained, by another recipe"):
            other.publish()
        with pytest.raises(RunError, match="somebody trains trials of this ablation"):
            genlab.remove_runs([place])
    assert place.is_dir()
    claim.release()
    other.publish()
    assert not place.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--submit", "slurm"], "the command sbatch is not on this machine"),
        (["--submit", "slurm", "--gpus", "1"], "trials were to get GPUs"),
        (["--submit", "slurm", "--address", "host:1"], "it needs --submit ray"),
        (["--partition", "gpu"], "it needs --submit slurm"),
    ],
)
def test_what_an_engine_lacks_is_told_before_anything_is_submitted(
    gen: GenCommand, recipe: Path, tmp_path: Path, options: list[str], told: str
) -> None:
    done = gen("ablate", recipe, "--out", "out", *options, PATH=str(tmp_path))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert told in " ".join(done.stderr.replace("│", " ").split()), done.stderr
    assert not (tmp_path / "out").exists()


WITHOUT_RAY = """
import sys

sys.modules["ray"] = None
sys.argv = ["gen", "ablate", "arms.toml", "--out", "out", "--submit", "ray"]
from genlab.cli import main

main()
"""


def test_without_ray_the_error_says_how_to_get_it(recipe: Path, tmp_path: Path, python: list[str]) -> None:
    command = [*python, "-c", WITHOUT_RAY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'genlab[ray]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_want_what_a_report_wants(planned: Path, recipe: Path, tmp_path: Path) -> None:
    """Also where results decide which seeds are trained."""
    asked = ["ablation.stop=settled", "ablation.max_seeds=5", "ablation.seeds=[0]"]
    made = genlab.plan_ablation(recipe, out=planned, overrides=asked, plugins=[tmp_path / "slow.py"])
    jobs = made.publish().jobs(planned)
    assert [job.name for job in jobs[:2]] == ["skips, seed 0", "no-skips, seed 0"]
    wanted = read_result(made.plan, made.folder, {str(each.trial): each.identity for each in made.trials}).names
    assert {job.name for job in jobs} == wanted
    assert len(jobs) == 8
