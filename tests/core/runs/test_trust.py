"""Runs of somebody else that bring code: it is run by those who trust it, and everything else works without."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import py_compile
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import GenCommand, Once

import genlab
from genlab import Run, RunError
from genlab.ablation.jobs import Job
from genlab.ablation.train import train_trial

CODE = """
import os
from pathlib import Path

import genlab

Path(os.environ["MARKER"]).touch()


class Mine(genlab.Listener):
    pass


@genlab.hookimpl
def genlab_register(registry):
    registry.listener("mine", Mine)
"""


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the plugin's code makes; nobody has run it yet."""
    path = tmp_path / "marker"
    monkeypatch.setenv("MARKER", str(path))
    monkeypatch.setenv("GENLAB_TRUSTED", str(tmp_path / "config" / "trusted"))
    return path


@pytest.fixture(scope="session")
def made(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that a stranger paused, in a folder with the plugin."""

    def build(folder: Path) -> None:
        folder.mkdir()
        (folder / "mine.py").write_text(CODE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MARKER", str(folder / "marker"))
            patch.setenv("GENLAB_TRUSTED", str(folder / "trusted"))
            tiny = Path(__file__).parents[2] / "assets" / "tiny.toml"
            overrides = ["listeners.mine={}"]
            genlab.train(tiny, overrides=overrides, plugins=[folder / "mine.py"], out=folder / "run", stop_at=4)

    return once("strangers-run", build) / "run"


@pytest.fixture
def theirs(made: Path, tmp_path: Path, marker: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "theirs"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(np.zeros((36, 36, 3), np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


READERS: dict[str, Callable[[Path, Path, bool], object]] = {
    "predict": lambda run, photo, trust: genlab.predict_files(run, [photo], run.parent / "out", trust=trust),
    "probe": lambda run, _photo, trust: genlab.probe(run, pairs=2, trust=trust),
    "resume": lambda run, _photo, trust: genlab.resume(run, trust=trust),
    "its recipe": lambda run, _photo, trust: genlab.open_run(run, trust=trust).recipe,
    "its networks": lambda run, _photo, trust: genlab.open_run(run, trust=trust).generator,
    "its pairs": lambda run, _photo, trust: genlab.open_run(run, trust=trust).validation_pairs(),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_needs_the_code_is_refused_until_it_is_trusted(
    theirs: Path, photo: Path, marker: Path, reader: str
) -> None:
    read = READERS[reader]
    with pytest.raises(RunError, match="code of its own") as caught:
        read(theirs, photo, False)
    told = str(caught.value)
    assert hashlib.sha256(CODE.encode()).hexdigest() in told and str(theirs / "plugins" / "mine.py") in told
    assert "--trust" in told and "trust=True" in told
    assert not marker.exists()
    read(theirs, photo, True)
    assert marker.exists()


def test_it_is_remembered_for_every_run_with_the_same_file(made: Path, theirs: Path, marker: Path) -> None:
    assert genlab.open_run(theirs, trust=True).recipe.title == "Tiny"
    assert genlab.open_run(made).recipe.title == "Tiny"
    with (theirs / "plugins" / "mine.py").open("a") as file:
        file.write("# changed\n")
    marker.unlink()
    with pytest.raises(RunError):
        genlab.open_run(theirs).recipe  # noqa: B018
    assert not marker.exists()


def test_what_needs_no_code_works_without(theirs: Path, marker: Path) -> None:
    run = genlab.open_run(theirs)
    assert (run.manifest.status, run.manifest.step) == ("paused", 4)
    assert "validation/l1" in run.metrics
    assert run.condition.channels == 3 and repr(run)
    assert not marker.exists()


def test_ones_own_run_asks_nothing(tiny: Path, tmp_path: Path, photo: Path, marker: Path) -> None:
    """Even if the file is edited after it was run: the copy in the run is of what was run."""
    file = tmp_path / "own.py"
    edit = f"Path({str(file)!r}).write_text('other')\n"
    file.write_text(CODE.replace("\n\nclass", f"\n{edit}\n\nclass", 1))
    own = genlab.train(tiny, overrides=["listeners.mine={}"], plugins=[file], out=tmp_path / "own", stop_at=4)
    assert genlab.resume(own.path).manifest.status == "finished"
    genlab.predict_files(own.path, [photo], tmp_path / "out")


def test_compiled_code_beside_the_file_is_not_run(theirs: Path, tmp_path: Path, marker: Path) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text(f"from pathlib import Path\nPath({str(tmp_path / 'evil')!r}).touch()\n")
    cached = importlib.util.cache_from_source(str(theirs / "plugins" / "mine.py"))
    py_compile.compile(str(evil), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert genlab.open_run(theirs, trust=True).recipe.title == "Tiny"
    assert marker.exists() and not (tmp_path / "evil").exists()


@pytest.fixture(scope="session")
def judges(judge_recipe: list[str], once: Once, forked_python: list[str]) -> Path:
    """A judge of a stranger, with code of its own."""

    def build(folder: Path) -> None:
        folder.mkdir()
        (folder / "mine.py").write_text(CODE)
        words = [*judge_recipe, "--plugin", folder / "mine.py", "--out", folder / "run"]
        environment = {**os.environ, "MARKER": str(folder / "marker"), "GENLAB_TRUSTED": str(folder / "trusted")}
        command = [*forked_python, "-m", "genlab", "run", *map(str, words)]
        subprocess.run(command, check=True, capture_output=True, env=environment)

    return once("strangers-judge", build) / "run"


def test_a_judge_that_a_recipe_names_is_such_a_run(tiny: Path, judges: Path, tmp_path: Path, marker: Path) -> None:
    overrides = [f"evaluate.metrics.label_recovery.judge='{judges}'"]
    genlab.check(tiny, overrides=overrides)
    genlab.describe_networks(tiny, overrides=overrides)
    genlab.inspect_data(tiny, overrides=overrides)
    with pytest.raises(genlab.GenlabError, match="code of its own") as caught:
        genlab.train(tiny, overrides=overrides, out=tmp_path / "run")
    assert str(judges) in str(caught.value) and "--trust" in str(caught.value)
    arms = [
        *overrides,
        'ablation={baseline="a", metric="validation/l1", seeds=[0], arms={a={}, b={generator={skips=false}}}}',
    ]
    with pytest.raises(genlab.GenlabError, match="code of its own"):
        genlab.plan_ablation(tiny, overrides=arms, out=tmp_path / "ablation")
    assert not marker.exists() and not (tmp_path / "run").exists()
    genlab.train(tiny, overrides=[*overrides, "train.steps=1"], out=tmp_path / "run", trust=True)
    assert marker.exists()


@pytest.mark.parametrize("use", [genlab.check, genlab.estimate_memory])
def test_a_loss_of_such_a_run_is_opened_by_a_check_that_trusts_it(
    tiny: Path, judges: Path, marker: Path, use: Callable[..., object]
) -> None:
    overrides = [f"losses.perceptual={{network={{name='trained_run', run='{judges}'}}}}"]
    with pytest.raises(genlab.GenlabError, match="code of its own") as caught:
        use(tiny, overrides=overrides)
    assert "trust=True" in str(caught.value)
    assert not marker.exists()
    use(tiny, overrides=overrides, trust=True)
    assert marker.exists()


def test_a_trial_of_a_stranger_is_not_resumed_with_its_code(theirs: Path, tmp_path: Path, marker: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(CODE.replace("Path(os", "str(os").replace(".touch()", ""))
    done = train_trial(Job("skips seed 0", theirs / "recipe.toml", theirs, [own]))
    assert done.status == "failed" and "code of its own" in str(done.failure)
    assert not marker.exists()


def test_the_command_says_what_to_do(gen: GenCommand, theirs: Path, photo: Path, marker: Path, tmp_path: Path) -> None:
    done = gen("predict", theirs, photo, "--out", "out")
    assert done.returncode == 2
    assert "--trust" in done.stderr and "mine.py" in done.stderr and "Traceback" not in done.stderr
    assert not marker.exists() and not (tmp_path / "out" / "photo.png").exists()
    done = gen("predict", theirs, photo, "--out", "out", "--trust")
    assert done.returncode == 0, done.stderr
    assert gen("predict", theirs, photo, "--out", "again").returncode == 0


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_a_terminal_asks(
    python: list[str], theirs: Path, photo: Path, marker: Path, tmp_path: Path, answer: str, code: int
) -> None:
    pty = pytest.importorskip("pty")
    ours, terminal = pty.openpty()
    command = [*python, "-m", "genlab", "predict", str(theirs), str(photo), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, text=True) as process:
        os.close(terminal)
        told = ""
        while "[y/N]" not in told:
            told += os.read(ours, 1024).decode()
        assert not marker.exists()
        os.write(ours, f"{answer}\n".encode())
        while process.poll() is None:
            try:
                told += os.read(ours, 1024).decode()
            except OSError:  # the terminal is closed
                break
        assert process.wait(timeout=60) == code, told
    os.close(ours)
    assert marker.exists() == (code == 0)


ADD = """
import sys
from pathlib import Path
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.registry.discovery.trust import add_trust

for number in range(10):
    add_trust([PluginFile(Path("x.py"), f"{sys.argv[1]} {number}".encode(), "x.py")])
"""


def test_processes_that_trust_at_once_forget_nothing(python: list[str], marker: Path, tmp_path: Path) -> None:
    processes = [subprocess.Popen([*python, "-c", ADD, str(number)]) for number in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    expected = {hashlib.sha256(f"{one} {two}".encode()).hexdigest() for one in range(4) for two in range(10)}
    assert {line[:64] for line in (tmp_path / "config" / "trusted").read_text().splitlines()} == expected


@pytest.mark.parametrize("trust", [True, False])
def test_where_nothing_can_be_recorded_it_holds_for_the_command(
    theirs: Path, marker: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trust: bool
) -> None:
    monkeypatch.setenv("GENLAB_TRUSTED", "/dev/null/trusted")
    monkeypatch.setenv("GENLAB_TRUSTED_DIGESTS", "")
    if not trust:
        with pytest.raises(RunError):
            genlab.open_run(theirs).recipe  # noqa: B018
        return
    assert genlab.open_run(theirs, trust=True).recipe.title == "Tiny"
    assert "cannot be written" in caplog.text
    assert Run(genlab.open_run(theirs).folder).recipe.title == "Tiny"


def test_a_digest_in_a_name_is_not_a_digest(theirs: Path, marker: Path, tmp_path: Path) -> None:
    trusted = tmp_path / "config" / "trusted"
    trusted.parent.mkdir()
    trusted.write_text(f"{'0' * 64}  {hashlib.sha256(CODE.encode()).hexdigest()}.py\n")
    with pytest.raises(RunError):
        genlab.open_run(theirs).recipe  # noqa: B018


def test_a_record_that_was_edited_or_lies_elsewhere_keeps_what_it_has(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotfiles, link = tmp_path / "dotfiles", tmp_path / "config" / "trusted"
    link.parent.mkdir(exist_ok=True)
    dotfiles.write_text(
        f"# {hashlib.sha256(CODE.encode()).hexdigest()} is mine\n{'0' * 64}  other.py"
    )  # no end of line
    link.symlink_to(dotfiles)
    monkeypatch.setenv("GENLAB_TRUSTED", str(link))
    assert genlab.open_run(theirs, trust=True).recipe
    assert genlab.open_run(theirs).recipe, "it is remembered"
    assert link.is_symlink()
    assert f"{'0' * 64}  other.py\n" in dotfiles.read_text()


def test_a_record_that_cannot_be_read_is_not_overwritten(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record"
    record.write_bytes(b"#" * (17 * 2**20))
    monkeypatch.setenv("GENLAB_TRUSTED", str(record))
    monkeypatch.setenv("GENLAB_TRUSTED_DIGESTS", "")  # where it is kept for this process instead
    assert genlab.open_run(theirs, trust=True).recipe
    assert record.stat().st_size == 17 * 2**20
