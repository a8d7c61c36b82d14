"""Paths of a checkpoint's files. Importing this imports no torch.

<step>/
  state.json                         format, run, step, which of what was due at the step was done, and digests
  <role>.safetensors                 a network's weights and buffers
  <role>.optimizer.safetensors       its optimizer's state; its settings are the recipe's
  <role>.ema.safetensors             the same with the average of its weights, where the recipe has one
  losses.safetensors                 the losses' buffers
  method.safetensors                 what the method itself carries from step to step
"""

from __future__ import annotations

from pathlib import Path

_NETWORK, _OPTIMIZER, _AVERAGE = ".safetensors", ".optimizer.safetensors", ".ema.safetensors"
_LOSSES, _METHOD = "losses.safetensors", "method.safetensors"


def path_of(folder: Path, step: int) -> Path:
    """Path of the checkpoint of a step, below the folder of a run's checkpoints."""
    return folder / f"{step:08d}"


def step_of(checkpoint: Path) -> int:
    """Number of steps done when a checkpoint was saved."""
    return int(checkpoint.name)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints below a folder, oldest first; an empty folder is none."""
    found = [path for path in folder.glob("[0-9]*") if path.name.isdecimal() and path.is_dir() and any(path.iterdir())]
    return sorted(found, key=step_of)


def state_file(checkpoint: Path) -> Path:
    """Path of the step and what was due at it."""
    return checkpoint / "state.json"


def network_file(checkpoint: Path, role: str) -> Path:
    """Path of a network's weights and buffers."""
    return checkpoint / f"{role}{_NETWORK}"


def optimizer_file(checkpoint: Path, role: str) -> Path:
    """Path of the state of a role's optimizer."""
    return checkpoint / f"{role}{_OPTIMIZER}"


def average_file(checkpoint: Path, role: str) -> Path:
    """Path of a network's averaged weights, and of its buffers."""
    return checkpoint / f"{role}{_AVERAGE}"


def losses_file(checkpoint: Path) -> Path:
    """Path of the losses' buffers."""
    return checkpoint / _LOSSES


def method_file(checkpoint: Path) -> Path:
    """Path of the method's own state."""
    return checkpoint / _METHOD


def tensor_files(checkpoint: Path) -> list[Path]:
    """Paths of all files but the state."""
    return sorted(checkpoint.glob(f"*{_NETWORK}"))


def is_of_optimizer(name: str) -> bool:
    """True for the name of a file with an optimizer's state, which predictions do not need."""
    return name.endswith(_OPTIMIZER)


def role_of(name: str) -> str | None:
    """The role whose network's weights are in a file of that name; None for any other file."""
    is_other = name in (_LOSSES, _METHOD) or name.endswith((_OPTIMIZER, _AVERAGE))
    return name.removesuffix(_NETWORK) if name.endswith(_NETWORK) and not is_other else None
