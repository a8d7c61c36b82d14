"""What a program and a plugin print goes where it belongs."""

from __future__ import annotations

import subprocess

SCRIPT = """
import io, sys
from contextlib import redirect_stdout
from genlab.registry.discovery.guard import guarded

sys.__stdout__.write("before, ")
with redirect_stdout(io.StringIO()), guarded():
    sys.__stdout__.write("a plugin")
    print(", and again")
sys.__stdout__.write("after")
"""


def test_output_of_the_program_stays_its_output(python: list[str]) -> None:
    done = subprocess.run([*python, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "before, after")
    assert "a plugin" in done.stderr
    assert ", and again" in done.stderr
