"""What the package registers, and what that costs."""

from __future__ import annotations

import subprocess
import sys

import genlab

import genlab_csv


def test_it_registers_a_listener() -> None:
    registry = genlab.Registry()
    genlab_csv.genlab_register(registry)
    assert [(entry.kind.name, entry.name) for entry in registry.registrations] == [("listener", "csv")]


def test_importing_it_imports_no_torch() -> None:
    code = "import genlab_csv.listener, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
