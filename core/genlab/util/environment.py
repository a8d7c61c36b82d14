"""Environment of a process: versions, machine, command and git commit. Importing this imports no torch."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def versions(packages: Mapping[str, str]) -> dict[str, str]:
    """The versions that a result may depend on."""
    return {"python": platform.python_version(), **packages}


def machine(device: str) -> dict[str, str]:
    """Host, system, device and number of CPUs."""
    return {"host": platform.node(), "system": platform.platform(), "device": device, "cpus": str(os.cpu_count())}


def command() -> list[str]:
    """The command line of this process."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def git_state() -> dict[str, str] | None:
    """Git commit of the working directory, and whether it has uncommitted changes."""
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "changed": "yes" if _git("status", "--porcelain") else "no"}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=True)
    return result.stdout.strip()
