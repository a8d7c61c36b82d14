"""`gen run` and `gen resume`, as processes of their own."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from genlab import cli
from genlab.engine.stop_signal import StopSignal

GenCommand = Callable[..., subprocess.CompletedProcess[str]]

LONG = ("--steps", "100000", "--set", "evaluate.previews=1", "--set", "evaluate.validations=1")


@pytest.fixture
def start(tmp_path: Path, tiny: Path, python: list[str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `gen run` on the tiny recipe and wait until it trains."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [*python, "-m", "genlab", "run", str(tiny), "--out", "run", *arguments]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        wait_for(lambda: (tmp_path / "run" / "metrics.jsonl").is_file() or process.poll() is not None)
        wait_for(lambda: (tmp_path / "run" / "metrics.jsonl").stat().st_size > 2000 or process.poll() is not None)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def weights(run: Path) -> dict[str, torch.Tensor]:
    last = max((run / "checkpoints").glob("[0-9]*"))
    return {f"{path.stem}/{name}": t for path in last.glob("*.safetensors") for name, t in load_file(path).items()}


def same(first: Path, second: Path) -> bool:
    one, two = weights(first), weights(second)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_says_what_it_is_and_how_to_go_on(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    done = gen("run", tiny, "--out", "run", "--set", "listeners.console={}", "--set", "listeners.tensorboard={}")
    assert done.returncode == 0, done.stderr
    for word in ("Tiny", "drawn", "cpu", "unet", "24,747 parameters", "receptive field 16", "8 steps", "run", "l1"):
        assert word in done.stderr, word
    assert "gen board run" in done.stdout
    assert "gen predict run" in done.stdout
    assert "\x1b" not in done.stderr + done.stdout, "no control characters without a terminal"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"


@pytest.mark.cold
@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP tells what it was told")
def test_threads_that_wait_leave_the_processor_to_others(
    gen: GenCommand, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they spun, two trainings at once were five times as slow."""
    monkeypatch.setenv("OMP_DISPLAY_ENV", "TRUE")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in gen("check", tiny).stderr
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in gen("check", tiny, OMP_WAIT_POLICY="ACTIVE").stderr


def test_runs_lie_below_runs_unless_told_otherwise(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    assert gen("run", tiny, "--steps", "1").returncode == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"tiny-\d{8}-\d{6}", folder.name)


def test_steps_seed_and_device_are_values_of_the_recipe(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    assert gen("run", tiny, "--steps", "2", "--seed", "7", "--device", "cpu", "--out", "run").returncode == 0
    recipe = (tmp_path / "run" / "recipe.toml").read_text()
    assert "steps = 2" in recipe
    assert "seed = 7" in recipe
    assert 'device = "cpu"' in recipe


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_named(gen: GenCommand, tiny: Path) -> None:
    failed = gen("run", tiny, "--device", "cuda")
    assert failed.returncode == 2
    assert "finds no cuda device here; available: cpu" in failed.stderr


def test_faults_are_shown_like_a_compilers(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(tiny.read_text().replace("channels = 4", "chanels = 4", 1).replace('"linear"', '"lineer"'))
    failed = gen("run", "mine.toml")
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr
    assert 'mine.toml:25:1: error: generator "unet" has no setting `chanels`' in failed.stderr
    assert "  25 | chanels = 4\n     | ^^^^^^^\nDid you mean `channels`?" in failed.stderr
    assert 'no plugin gives a schedule "lineer"; there are constant, cosine, linear, step' in failed.stderr
    assert not (tmp_path / "runs").exists()


def test_an_existing_folder_is_refused(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("precious")
    failed = gen("run", tiny, "--out", "run")
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: run: this folder already exists")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_a_run_that_was_stopped_before_its_first_checkpoint_is_resumed_from_its_start(
    gen: GenCommand, tiny: Path, tmp_path: Path
) -> None:
    """As is one that failed; the run that it is compared with had no such accident."""
    (tmp_path / "bad.py").write_text(FAILING_ONCE)
    given = ("run", tiny, "--plugin", "bad.py", "--set", "losses.failing={}", "--out")
    (tmp_path / "broken").touch()
    assert gen(*given, "run").returncode == 1
    (tmp_path / "broken").unlink()
    done = gen("resume", "run")
    assert done.returncode == 0, done.stderr
    assert "begins with the first step" in done.stderr
    assert gen(*given, "whole").returncode == 0
    assert same(tmp_path / "whole", tmp_path / "run")


def test_debug_shows_where_an_error_comes_from(gen: GenCommand, tmp_path: Path) -> None:
    assert "Traceback" not in gen("resume", tmp_path).stderr
    assert "Traceback" in gen("--debug", "resume", tmp_path).stderr


def test_a_pause_and_a_resume_end_where_an_undisturbed_run_ends(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    assert gen("run", tiny, "--out", "whole").returncode == 0
    paused = gen("run", tiny, "--out", "parts", "--stop-at", "3")
    assert paused.returncode == 0
    assert "gen resume parts" in paused.stdout
    assert "gen board" not in paused.stdout, "there are no curves"
    assert gen("resume", "parts", "--stop-at", "6").returncode == 0
    assert gen("resume", "parts").returncode == 0
    assert same(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(
    gen: GenCommand, start: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: int, code: int
) -> None:
    process = start(*LONG)
    for _ in range(2):
        process.send_signal(number)
        time.sleep(0.005)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "gen resume run" in out
    assert "Traceback" not in err
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["status"] == "interrupted"
    goal = manifest["step"] + 2
    assert gen("resume", "run", "--stop-at", goal).returncode == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["step"] == goal


FAILING_ONCE = """
from pathlib import Path
import genlab

class Failing(genlab.Loss):
    def forward(self, condition, target, prediction):
        if Path("broken").exists():
            raise RuntimeError("broken")
        return prediction.mean()

@genlab.hookimpl
def genlab_register(registry):
    registry.loss("failing", Failing)
"""

WAITING = """
import time
import genlab

class Waiting(genlab.Loss):
    def __init__(self) -> None:
        super().__init__()
        print("waiting", flush=True)
        time.sleep(60)

    def forward(self, condition, target, prediction):
        return prediction.mean()

@genlab.hookimpl
def genlab_register(registry):
    registry.loss("waiting", Waiting)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_before_the_training_end_it_and_leave_nothing(
    tiny: Path, tmp_path: Path, python: list[str], number: int
) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    command = [*python, "-m", "genlab", "run", str(tiny), "--plugin", "waiting.py", "--set", "losses.waiting={}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--out", "run"], cwd=tmp_path, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        for _ in range(2):
            process.send_signal(number)
            time.sleep(0.005)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert told == "interrupted\n"
    assert not (tmp_path / "run").exists()


@pytest.mark.cold
@pytest.mark.parametrize("module", ["typer", "pydantic", "torch"])
def test_an_interruption_while_it_starts_is_no_traceback(
    tiny: Path, tmp_path: Path, python: list[str], module: str
) -> None:
    """As soon as a module is imported, while others are."""
    command = [*python, "-X", "importtime", "-m", "genlab", "run", str(tiny), "--out", "run"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.rstrip().endswith(f" {module}"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "interrupted\n" in rest
    assert "Traceback" not in rest
    assert not (tmp_path / "run").exists()


def test_a_killed_run_goes_on_from_its_last_checkpoint_exactly(
    gen: GenCommand, tiny: Path, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start(*LONG, "--set", "checkpoint.minutes=0.0001")
    wait_for(lambda: any((tmp_path / "run" / "checkpoints").glob("[0-9]*")))
    process.kill()
    process.communicate()
    # Two, if it was killed after a new one took its place and before the old one was removed.
    goal = f"{int(max((tmp_path / 'run' / 'checkpoints').glob('[0-9]*')).name) + 2:08d}"
    assert gen("resume", "run", "--stop-at", goal.lstrip("0")).returncode == 0
    assert goal in [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert gen("run", tiny, "--out", "whole", *LONG, "--stop-at", goal.lstrip("0")).returncode == 0
    assert same(tmp_path / "whole", tmp_path / "run")


def test_two_processes_do_not_train_one_run(
    gen: GenCommand, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start(*LONG, "--set", "checkpoint.minutes=0.0001")
    wait_for(lambda: any((tmp_path / "run" / "checkpoints").glob("[0-9]*")))
    failed = gen("resume", "run")
    assert failed.returncode == 2
    assert "another process is training this run" in failed.stderr


PLUGIN = """
import genlab
import torch


class OneLayer(genlab.Generator):
    \"\"\"A single convolution.

    Args:
        width: of the kernel.
    \"\"\"

    def __init__(self, in_channels: int, out_channels: int, *, width: int = 3) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(in_channels, out_channels, width, padding=width // 2)

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        return self.layer(condition).tanh()


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("one_layer", OneLayer)
"""


def test_a_component_from_a_file_trains_resumes_and_predicts(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "my_net.py").write_text(PLUGIN)
    setting = ("--set", "generator={name='one_layer', width=5}")
    begun = gen("run", tiny, "--plugin", "my_net.py", *setting, "--out", "run", "--stop-at", "2")
    assert begun.returncode == 0, begun.stderr
    (tmp_path / "my_net.py").unlink()
    assert gen("resume", "run").returncode == 0, "the run keeps a copy"
    Image.new("RGB", (20, 10), "blue").save(tmp_path / "picture.png")
    done = gen("predict", "run", "picture.png", "--out", "made", "--size", "stored")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "made" / "picture.png") as made:
        assert made.size == (20, 10)


FULL_DISK = """
mount -t tmpfs -o size=1m none disk
$gen run $tiny --out disk/run --stop-at 3 || exit 9
cat /dev/zero > disk/ballast
$gen resume disk/run; echo "code $?"
rm disk/ballast
cp -r disk/run kept
$gen resume disk/run || exit 9
cp -r disk/run whole
"""


@pytest.mark.cold
def test_a_full_disk_ends_with_a_message_and_keeps_the_last_checkpoint(
    gen: GenCommand, tiny: Path, tmp_path: Path, python: list[str]
) -> None:
    (tmp_path / "disk").mkdir()
    # A mount namespace of its own: the small disk goes with the process, which a fork of another would not see.
    private = ["unshare", "--mount"]
    if subprocess.run([*private, "mount", "-t", "tmpfs", "none", tmp_path / "disk"], check=False).returncode:
        pytest.skip("mounting a small disk needs rights that this user does not have")
    environment = {**os.environ, "gen": f"{shlex.join(python)} -m genlab", "tiny": str(tiny)}
    command = [*private, "sh", "-c", FULL_DISK]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "code 1" in done.stdout
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "kept" / "checkpoints").iterdir()] == ["00000003"]
    assert gen("run", tiny, "--out", "undisturbed").returncode == 0
    assert same(tmp_path / "whole", tmp_path / "undisturbed")


@pytest.mark.parametrize(("rank", "said"), [("0", "interrupted\n"), ("1", "")])
def test_of_several_processes_the_first_says_that_a_signal_ended_them(
    rank: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(StopSignal, "last", (signal.SIGINT, -math.inf))
    with pytest.raises(KeyboardInterrupt):
        cli._interrupt(signal.SIGTERM, None)  # pyright: ignore[reportPrivateUsage]
    assert capsys.readouterr().err == said
