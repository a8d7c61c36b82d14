"""Commands and code of the pages that are to be followed, run as written, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.processes.forks import forking_python

if TYPE_CHECKING:
    from tests.fresh import Fresh

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Reader:
    """Somebody who does what a page says, in an empty folder, and goes into another where it says `cd`.

    Args:
        run: runs a command, with `cwd`.
        folder: where to begin.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder
        self.printed = ""

    def follow(self, page: str) -> None:
        blocks = BLOCK.findall((ROOT / "docs" / page).read_text())
        assert len(blocks) > 5
        for language, note, text in blocks:
            if "file=" in note:
                (self.folder / note.split("file=")[1].strip()).write_text(text)
            elif language in ("sh", "python"):
                self._do(language, text, fails="fails" in note)

    def _do(self, language: str, text: str, *, fails: bool) -> None:
        command = ["bash", "-euc", f"{text}pwd"] if language == "sh" else ["python", "-c", text]
        done = self.run(*command, cwd=self.folder)
        assert (done.returncode != 0) == fails, f"{text}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        self.printed += done.stdout + done.stderr
        if language == "sh" and not fails:
            self.folder = Path(done.stdout.splitlines()[-1])


def write_commands(folder: Path, commands: Mapping[str, Sequence[str | Path]]) -> Path:
    """Write commands, by their names, into a folder for PATH: the words that each begins with."""
    for name, words in commands.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def follow(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, python: list[str]) -> Callable[[str], None]:
    """Do what a page says, with a `gen` and a `python` that have imported what takes long."""
    commands = write_commands(tmp_path_factory.mktemp("bin"), {"python": python, "gen": [*python, "-m", "genlab"]})
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    run = partial(subprocess.run, env=environment, capture_output=True, text=True)
    return Reader(lambda *command, cwd: run(command, cwd=cwd), tmp_path).follow


def test_the_tutorial_does_what_it_says(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("tutorial.md")
    assert (tmp_path / "mine" / "plugins" / "my_net.py").is_file()


def test_a_question_is_answered(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("ablations.md")
    assert len(list((tmp_path / "answer" / "trials").glob("*/seed-*"))) == 12


def test_a_hundred_runs_are_trained_by_workers(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("a_hundred_runs.md")
    assert (tmp_path / "shared" / "report.html").is_file()
    assert "no-skips" in (tmp_path / "answer.txt").read_text()


def test_a_judge_reads_labels(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("label_recovery.md")
    assert (tmp_path / "losses" / "report.html").is_file()


def test_skips_are_probed(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("probe.md")
    assert (tmp_path / "mine" / "probe" / "skips.svg").is_file()


def test_a_run_is_evaluated(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("evaluate.md")
    assert (tmp_path / "figures.json").read_text().startswith("{")


def test_images_without_pairs_are_trained_with(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("unpaired.md")
    predicted = [len(list((tmp_path / side).iterdir())) for side in ("photos", "labels")]
    assert predicted == [4, 4]


def squeezed(text: str) -> str:
    """Text by its words alone, and without the milliseconds of a machine."""
    return " ".join(re.sub(r"\d+ ms", "ms", text).split())


@pytest.fixture
def stranger(fresh: Fresh, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader who has genlab from its wheel, and nothing of the checkout.

    Once the reader has installed a package, commands are forks of a Python that began after it, as `gen` has its own.
    """
    environment = fresh.extended(tmp_path_factory.mktemp("environment") / "venv")
    commands = tmp_path_factory.mktemp("bin")
    path = f"{commands}{os.pathsep}{environment.environment['PATH']}"
    with ExitStack() as server:

        def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
            done = environment.run(*command, cwd=cwd, PATH=path)
            if "pip install" in str(command[-1]):
                fork = server.enter_context(forking_python(environment.bin / "python", environment.environment))
                write_commands(commands, {name: [*fork, environment.bin / name] for name in ("gen", "pytest")})
            return done

        yield Reader(run, tmp_path)


def test_a_plugin_is_written(stranger: Reader, tmp_path: Path) -> None:
    stranger.follow("write_a_plugin.md")
    assert (tmp_path / "genlab-dilated" / "runs" / "narrow" / "run.json").is_file()
    # What the page says that is printed, is printed.
    page = (ROOT / "docs" / "write_a_plugin.md").read_text()
    told: list[str] = re.findall(r"^    (\S.*|  .*)$", re.sub(BLOCK, "", page), re.MULTILINE)
    quoted = [line for line in told if not line.startswith(("pip ", "python ", "twine ", "..."))]
    assert len(quoted) > 10
    assert [line for line in quoted if squeezed(line) not in squeezed(stranger.printed)] == []


@pytest.mark.parametrize(
    "page", [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
