"""Commands and code of the pages that are to be followed, run as written, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def path_with_gen() -> str:
    """A PATH on which `gen` is the one of the Python that runs the tests."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def follow(tmp_path: Path, path_with_gen: str) -> Callable[[str], None]:
    """Do what a page says."""
    environment = {**os.environ, "PATH": path_with_gen}

    def do(page: str) -> None:
        blocks = BLOCK.findall((ROOT / "docs" / page).read_text())
        assert len(blocks) > 5
        for language, note, text in blocks:
            if "file=" in note:
                (tmp_path / note.split("file=")[1].strip()).write_text(text)
                continue
            command = ["bash", "-euc", text] if language == "sh" else [sys.executable, "-c", text]
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
            assert (done.returncode != 0) == ("fails" in note), f"{text}\n{done.stdout}\n{done.stderr}"
            assert "Traceback" not in done.stderr

    return do


def test_the_tutorial_does_what_it_says(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("tutorial.md")
    assert (tmp_path / "mine" / "plugins" / "my_net.py").is_file()


def test_a_question_is_answered(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("ablations.md")
    assert len(list((tmp_path / "answer" / "cells").glob("*/seed-*"))) == 12


def test_a_judge_reads_labels(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("label_recovery.md")
    assert (tmp_path / "losses" / "report.html").is_file()


def test_skips_are_probed(follow: Callable[[str], None], tmp_path: Path) -> None:
    follow("probe.md")
    assert (tmp_path / "mine" / "probe" / "skips.svg").is_file()


@pytest.mark.parametrize(
    "page", [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
