"""Input that once broke something: each is now an error for people, and nothing of a run is lost."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genlab
from genlab import DataError, GenlabError, RecipeError, StorageError, TrainingError
from genlab.runs.folder import RunFolder

GenCommand = Callable[..., subprocess.CompletedProcess[str]]


def plugin(folder: Path, body: str, registration: str) -> Path:
    """A file with one component."""
    path = folder / "mine.py"
    text = f"import sys\nimport genlab, torch\n\n{body}\n\n@genlab.hookimpl\ndef genlab_register(registry):\n"
    path.write_text(f"{text}    registry.{registration}\n")
    return path


# Recipes


@pytest.mark.parametrize(
    "assignment",
    [
        "#x=3",
        "[a]#=3",
        "a=",
        "seed=" + "9" * 5000,
        "a=" + "[" * 3000,
        ".".join("a" * 3000) + "=1",
        "train.threads=100000",
        "data.count=10000000000000000000000",
        "optimizer.betas=[0.5, 1.0]",
        "title=\udcff",
    ],
)
def test_an_assignment(tiny: Path, assignment: str) -> None:
    with pytest.raises(RecipeError):
        genlab.check(tiny, overrides=[assignment])


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, "a = " + "9" * 5000, ".".join("a" * 3000) + " = 1"])
def test_a_recipe(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(RecipeError):
        genlab.check(tmp_path / "bad.toml")


def test_a_chain_of_recipes_without_end(tmp_path: Path) -> None:
    for number in range(2 * sys.getrecursionlimit()):
        (tmp_path / f"{number}.toml").write_text(f'extends = "{number + 1}.toml"')
    with pytest.raises(RecipeError, match="nested too deeply"):
        genlab.check(tmp_path / "0.toml")


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        genlab.check("x" * 5000)


COMPUTING = """class Computing(genlab.Generator):
    size_multiple = 1
    def __init__(self, in_channels: int, out_channels: int, channels: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*(torch.nn.Linear(channels, channels) for _ in range(4)))
        self.factor = torch.ones(3).sum().item()
    def forward(self, condition):
        return self.layers(condition)
"""


def test_networks_larger_than_memory(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"gradients and optimizer state .* need at least .* available"):
        genlab.train(tiny, overrides=["generator.channels=10000"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_networks_that_are_only_described_take_no_memory(python: list[str], tiny: Path) -> None:
    script = f"import resource, genlab\ngenlab.check({str(tiny)!r}, overrides=['generator.channels=2000'])\n"
    script += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([*python, "-c", script], capture_output=True, text=True)
    assert int(done.stdout) < 2**20, "kilobytes; its weights have ten gigabytes"


def test_networks_that_compute_as_they_are_constructed(tiny: Path, tmp_path: Path) -> None:
    given = plugin(tmp_path, COMPUTING, 'generator("mine", Computing)')
    genlab.check(tiny, overrides=["generator={name='mine', channels=8}"], plugins=[given])
    with pytest.raises(TrainingError, match="out of memory"):
        genlab.check(tiny, overrides=["generator={name='mine', channels=500000}"], plugins=[given])


@pytest.mark.parametrize("channels", [10**19, 10**17, 10**9])
def test_networks_that_cannot_be_counted(tiny: Path, channels: int) -> None:
    with pytest.raises(GenlabError):
        genlab.check(tiny, overrides=[f"generator.channels={channels}"])


# While it trains


def test_a_run_whose_reader_goes_away_trains_on(python: list[str], tiny: Path, tmp_path: Path) -> None:
    console = "--set listeners.console.name=console --steps 300 --out run"
    command = f"{shlex.join(python)} -m genlab run {tiny} {console} 2>&1 | head -3"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True, timeout=120)
    assert genlab.open_run(tmp_path / "run").manifest.status == "finished"


@pytest.mark.cold
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_so_does_one_without_anybody_to_tell(python: list[str], tiny: Path, tmp_path: Path, stderr: str) -> None:
    command = f"{shlex.join(python)} -m genlab run {tiny} --set listeners.console.name=console --out run {stderr}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0
    assert genlab.open_run(tmp_path / "run").manifest.status == "finished"


def test_a_listener_that_exits_is_switched_off(tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = "class Mine(genlab.Listener):\n    def step(self, event):\n        sys.exit(3)"
    given = plugin(tmp_path, body, 'listener("mine", Mine)')
    with caplog.at_level("WARNING", "genlab"):
        run = genlab.train(tiny, overrides=["listeners.mine={}"], plugins=[given], out=tmp_path / "run")
    assert run.manifest.status == "finished"
    assert "The listener `mine` failed and is switched off" in caplog.text


def test_what_was_told_before_a_kill_at_the_end_is_not_told_again(
    python: list[str], tiny: Path, tmp_path: Path
) -> None:
    body = "import os, signal\nclass Mine(genlab.Listener):\n    def previewed(self, event):\n"
    body += "        if event.step == 8 and 'DIES' in os.environ: os.kill(os.getpid(), signal.SIGKILL)"
    given = plugin(tmp_path, body, 'listener("mine", Mine)')
    arguments = f"{str(tiny)!r}, out='run', overrides=['listeners.mine={{}}'], plugins=[{str(given)!r}]"
    command = [*python, "-c", f"import genlab; genlab.train({arguments})"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, env={**os.environ, "DIES": "yes"})
    assert genlab.resume(tmp_path / "run").manifest.status == "finished"
    events = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [event["step"] for event in events if event["event"] == "validation"].count(8) == 1


def test_predicting_beside_a_training_that_replaces_its_checkpoints(
    python: list[str], tiny: Path, tmp_path: Path
) -> None:
    often = ["train.steps=100000", "checkpoint.minutes=0.000001", "evaluate.validations=1", "evaluate.previews=1"]
    call = f"import genlab; genlab.train({str(tiny)!r}, out='run', overrides={often!r})"
    with subprocess.Popen([*python, "-c", call], cwd=tmp_path, stderr=subprocess.PIPE) as training:
        try:
            end = time.monotonic() + 60
            while not list((tmp_path / "run" / "checkpoints").glob("[0-9]*")):
                assert time.monotonic() < end
                time.sleep(0.05)
            for _ in range(20):
                image = np.zeros((32, 32, 3), np.uint8)
                assert genlab.open_run(tmp_path / "run").predict(image, size="stored").shape == image.shape
        finally:
            training.kill()


def test_a_folder_that_is_taken_away_ends_the_run_with_a_word(tiny: Path, tmp_path: Path) -> None:
    body = "import shutil\nclass Mine(genlab.Listener):\n    def started(self, event): self.folder = event.folder\n"
    body += "    def step(self, event):\n        if event.step == 3: self.folder.rename(f'{self.folder}-moved')"
    given = plugin(tmp_path, body, 'listener("mine", Mine)')
    with pytest.raises(StorageError, match="cannot be written: No such file or directory"):
        genlab.train(tiny, overrides=["listeners.mine={}"], plugins=[given], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("result", "words"),
    [("(x, x)", "got a tuple"), ("None", "got a NoneType"), ("x.detach()", "no gradient .* generator")],
)
def test_a_generator_that_gives_what_it_should_not(
    gen: GenCommand, tiny: Path, tmp_path: Path, result: str, words: str
) -> None:
    """In a process of its own, without the checks of shapes that the tests have."""
    body = f"""
class Mine(genlab.Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(in_channels, out_channels, 1)
    def forward(self, condition):
        x = self.layer(condition)
        return {result}
"""
    given = plugin(tmp_path, body, 'generator("mine", Mine)')
    done = gen("run", tiny, "--set", "generator={name='mine'}", "--plugin", given, "--out", "run")
    assert done.returncode == 1
    assert re.search(words, done.stderr)
    assert "Traceback" not in done.stderr


def test_a_metric_that_is_text(tiny: Path, tmp_path: Path) -> None:
    body = "class Mine(genlab.Metric):\n    higher_is_better = False\n    def update(self, *a): pass\n"
    body += "    def reset(self): pass\n    def merge(self, other): pass\n    def compute(self): return 'good'"
    given = plugin(tmp_path, body, 'metric("mine", Mine)')
    with pytest.raises(TrainingError, match="the metric mine: expected an int or float, got a str"):
        genlab.train(tiny, overrides=["evaluate.metrics.mine={}"], plugins=[given], out=tmp_path / "run")


# Predictions and data


@pytest.fixture
def trained(tiny: Path, tmp_path: Path) -> genlab.Run:
    return genlab.train(tiny, overrides=["train.steps=1"], out=tmp_path / "run")


def test_predictions_into_a_file(trained: genlab.Run, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    (tmp_path / "out").write_text("precious")
    with pytest.raises(StorageError):
        genlab.predict_files(trained.path, [tmp_path / "x.png"], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"


def test_an_image_that_is_larger_than_any(trained: genlab.Run, tmp_path: Path) -> None:
    Image.new("1", (20_000, 15_000)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="the limit is 268,435,456"):
        genlab.predict_files(trained.path, [tmp_path / "bomb.png"], tmp_path / "out")


def test_a_file_whose_name_is_no_text(tiny: Path, tmp_path: Path, make_pairs: Callable[..., Path]) -> None:
    root = make_pairs()
    try:
        os.link(root / "train" / "0.png", os.fsencode(root / "train") + b"/\xff\xfe.png")
    except OSError:
        pytest.skip("file names are text here")
    with pytest.raises(DataError, match="name is not UTF-8"):
        genlab.train(tiny, overrides=[f"data={{name='side_by_side', root='{root}'}}"], out=tmp_path / "run")


def test_nothing_is_left_of_a_run_whose_first_files_cannot_be_written(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_arguments: object) -> None:
        raise StorageError("cannot be written: the disk is full")

    monkeypatch.setattr("genlab.runs.folder.write_text", no_room)
    with pytest.raises(StorageError):
        genlab.train(tiny, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_no_message_of_these_is_a_traceback(gen: GenCommand, tiny: Path) -> None:
    for assignment in ("#x=3", "train.threads=100000", "seed=" + "9" * 5000):
        done = gen("check", tiny, "--set", assignment)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert re.search(r"--set ", done.stderr)
        assert issubclass(RecipeError, GenlabError)


@pytest.mark.parametrize("name", ["n" * 300, "locked/run"])
@pytest.mark.parametrize("call", [genlab.open_run, RunFolder.refuse_occupied], ids=["open_run", "refuse_occupied"])
def test_a_path_that_cannot_be(locked: Path, call: Callable[[Path], object], name: str) -> None:
    with pytest.raises(GenlabError, match=r"cannot be (read|written): (File name too long|Permission denied)"):
        call(locked.parent / name)


LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("resume", LONG),
        ("board", LONG),
        ("data", "unet_facades", "--out", f"{LONG}.png"),
        ("recipes", "copy", "unet_facades", LONG),
        ("plugins", "new", "edge", "--kind", "loss", "--out", LONG),
    ],
)
def test_a_path_that_cannot_be_on_the_command_line(gen: GenCommand, arguments: tuple[str, ...]) -> None:
    done = gen(*arguments)
    assert done.returncode in (1, 2)
    assert "File name too long" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", ["check {tiny}", "recipes list --json", "--help"])
def test_output_that_cannot_be_written(python: list[str], tiny: Path, arguments: str) -> None:
    command = f"{shlex.join(python)} -m genlab {arguments.format(tiny=tiny)} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "error: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("assignment", ['train.steps="x:1:y"', "ablation.arms.x=2020-01-01", "train.steps=07:32:00"])
def test_a_value_that_was_a_traceback(assignment: str) -> None:
    with pytest.raises(RecipeError, match="--set"):
        genlab.check("ablation_skips_small", overrides=[assignment])


def test_a_message_quotes_the_part_of_a_long_line(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(f'seed = "{"y" * 400_000}"')
    with pytest.raises(RecipeError) as caught:
        genlab.check(tmp_path / "long.toml")
    assert len(str(caught.value)) < 3000
    assert '1 | seed = "yyy' in str(caught.value)
