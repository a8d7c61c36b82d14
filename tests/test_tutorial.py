"""The tutorial's commands and code, run as they are written, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def path_with_gen() -> str:
    """A PATH on which `gen` is the one of the Python that runs the tests."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def test_the_tutorial_does_what_it_says(tmp_path: Path, path_with_gen: str) -> None:
    environment = {**os.environ, "PATH": path_with_gen}
    blocks = BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text())
    assert len(blocks) > 10
    for language, note, text in blocks:
        if language == "toml":
            (tmp_path / "no_skips.toml").write_text(text)
            continue
        if "file=" in note:
            (tmp_path / note.split("file=")[1].strip()).write_text(text)
            continue
        command = ["bash", "-euc", text] if language == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert (done.returncode != 0) == ("fails" in note), f"{text}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert (tmp_path / "mine" / "plugins" / "my_net.py").is_file()
