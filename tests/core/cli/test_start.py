"""The start of a run: what is shown at once, and what is not waited for."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

SCRIPT = """
import atexit, sys

SLOW = ("torch._dynamo", "sympy", "scipy", "torchmetrics", "datasets", "pandas")
atexit.register(lambda: print("imported:", *(name for name in SLOW if name in sys.modules)))
from genlab.cli import main

main()
"""
METRICS = [f"evaluate.metrics.{name}.name={name}" for name in ("psnr", "ssim")]


@pytest.mark.cold
def test_a_run_says_at_once_that_it_loads_pytorch_and_imports_nothing_slow_besides(
    tiny: Path, python: list[str], tmp_path: Path
) -> None:
    main, terminal = os.openpty()
    overrides = [word for metric in METRICS for word in ("--set", metric)]
    command = [*python, "-c", SCRIPT, "run", str(tiny), *overrides]
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=terminal, cwd=tmp_path, env=environment, text=True
    ) as process:
        os.close(terminal)
        shown = os.read(main, 100)
        while "PyTorch" not in shown.decode():
            shown += os.read(main, 100)
        assert not (tmp_path / "runs").exists()
        with suppress(OSError):  # until the other end is closed
            while os.read(main, 4096):
                pass
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode == 0
    assert shown.decode().removeprefix("\x1b[2m").startswith("loading PyTorch ...")
    assert printed.splitlines()[-1].strip() == "imported:"
    os.close(main)


@pytest.mark.cold
def test_completing_imports_no_torch(python: list[str], tmp_path: Path) -> None:
    words = {"_GEN_COMPLETE": "complete_bash", "COMP_WORDS": "gen\nrun\nunet_facades\n--set\nse", "COMP_CWORD": "4"}
    script = 'import sys; sys.modules["torch"] = None; from genlab.cli import main; main()'
    done = subprocess.run([*python, "-c", script], env={**os.environ, **words}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("seed=\n", "")
