"""Environment of a process: versions, machine, command and git commit. Importing this imports no torch."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from genlab.errors import GenlabError


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


class Launch(NamedTuple):
    """Place of a process among those that a launcher such as `torchrun` started to train one run.

    Args:
        rank: its number, from 0.
        size: how many there are.
        local_rank: its number among those of its machine, from 0.
        local_size: how many its machine has.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int


def find_launch() -> Launch | None:
    """The place of this process, by the variables that PyTorch's launchers set; None if it was started by itself."""
    rank, size = (_number(name) for name in ("RANK", "WORLD_SIZE"))
    if rank is None or size is None or "MASTER_ADDR" not in os.environ:
        return None
    local_rank, local_size = (_number(name) for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
    return Launch(rank, size, rank if local_rank is None else local_rank, local_size or size)


def refuse_invalid_launch(launch: Launch) -> None:
    """Raise a `GenlabError` for variables of a launcher that cannot be true, before anybody waits for others."""
    port = _number("MASTER_PORT")
    if launch.rank >= launch.size:
        where = f"RANK is {launch.rank}, and WORLD_SIZE {launch.size}"
        what = "expected a rank below the number of processes"
    elif port is None or port >= 2**16:
        what, where = "expected a port from 0 to 65535", f"MASTER_PORT is {os.environ.get('MASTER_PORT', 'not set')}"
    else:
        return
    raise GenlabError(what, where=where, hint="Start the processes with torchrun, which sets these, or unset RANK.")


def is_first_process() -> bool:
    """True for a process by itself, and for the first one of several: it speaks for them."""
    launch = find_launch()
    return launch is None or launch.rank == 0


def _number(name: str) -> int | None:
    """The number in an environment variable; None where there is none."""
    text = os.environ.get(name, "").strip()
    return int(text) if text.isdecimal() else None


def refuse_several_processes() -> None:
    """Raise a `GenlabError` if this process is one of several, each of which would train on its own.

    What Slurm and MPI set is no sign of that: their processes often train different recipes.
    """
    count = os.environ.get("WORLD_SIZE", "1")
    if count.strip().isdecimal() and int(count) > 1:
        what = f"this is one of {int(count)} processes, each of which would train by itself on one device"
        hint = (
            "For one run on several devices: `gen run RECIPE --devices N`, or torchrun, which sets RANK and MASTER_ADDR"
            " as well. For several runs: `gen ablate RECIPE --jobs N`. Or unset WORLD_SIZE."
        )
        raise GenlabError(what, where=f"WORLD_SIZE is {count}", hint=hint)


def _git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=True)
    return result.stdout.strip()
