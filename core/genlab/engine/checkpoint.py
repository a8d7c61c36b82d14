"""Checkpoints: folders of named parts, each a plain file; whole or not there.

<step>/
  state.json                         format, step, and the optimisers' groups
  <role>.safetensors                 a network's weights and buffers
  <role>.optimizer.safetensors       its optimiser's state
  random.safetensors                 the generators of random numbers
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from genlab.engine.runtime import random_states, restore_random_states
from genlab.errors import RunError
from genlab.files import storage_errors
from genlab.interfaces.network import Network

FORMAT = 1


@dataclass(frozen=True)
class Trainee:
    """What a checkpoint holds: everything that training changes."""

    networks: Mapping[str, Network]
    optimizers: Mapping[str, Optimizer]
    device: torch.device


def save(folder: Path, step: int, trainee: Trainee, keep: int) -> Path:
    """Write the checkpoint of a step below `folder`, and remove all but the last `keep`.

    One of that step that is there already is whole, and the same: training is exact. It is left as it is.

    Raises:
        StorageError: the disk is full; earlier checkpoints are as they were.
    """
    target = folder / f"{step:08d}"
    for torn in folder.glob(".*.partial"):
        shutil.rmtree(torn, ignore_errors=True)
    if target.is_dir():
        return target
    aside = folder / f".{target.name}.partial"
    try:
        with storage_errors(target, SafetensorError):
            aside.mkdir(parents=True)
            _write(aside, step, trainee)
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def _write(folder: Path, step: int, trainee: Trainee) -> None:
    groups: dict[str, Any] = {}
    for role, network in trainee.networks.items():
        save_file(_copies(network.state_dict()), folder / f"{role}.safetensors")
        tensors, groups[role] = _flattened(trainee.optimizers[role], network)
        save_file(tensors, folder / f"{role}.optimizer.safetensors")
    save_file(random_states(trainee.device), folder / "random.safetensors")
    state = {"format": FORMAT, "step": step, "optimizer_groups": groups}
    (folder / "state.json").write_text(json.dumps(state, indent=2))
    for path in folder.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints below a folder, oldest first."""
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir())


def restore(checkpoint: Path, trainee: Trainee) -> int:
    """Put everything back as it was; returns how many steps were done.

    Raises:
        RunError: the checkpoint is damaged, or of other networks.
    """
    try:
        state = json.loads((checkpoint / "state.json").read_text())
        if state["format"] != FORMAT:
            raise ValueError(f"it is of format {state['format']}, and this version of genlab reads format {FORMAT}")
        for role, network in trainee.networks.items():
            load_weights(checkpoint, role, network)
            tensors = load_file(checkpoint / f"{role}.optimizer.safetensors")
            _unflatten(trainee.optimizers[role], network, tensors, state["optimizer_groups"][role])
        restore_random_states(load_file(checkpoint / "random.safetensors"), trainee.device)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise _damaged(checkpoint, error) from error
    return int(state["step"])


def load_weights(checkpoint: Path, role: str, network: Network) -> None:
    """Load one network's weights; `RunError` if they are not there, or another network's."""
    try:
        network.load_state_dict(load_file(checkpoint / f"{role}.safetensors"))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise _damaged(checkpoint, error) from error


def _damaged(checkpoint: Path, error: Exception) -> RunError:
    reason = f"it does not fit at {error}" if isinstance(error, KeyError) else shorten(str(error), 300)
    return RunError(
        f"the checkpoint cannot be read: {reason}",
        where=str(checkpoint),
        hint="If there is an earlier checkpoint beside it, remove this one and resume again.",
    )


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each with memory of its own, which safetensors asks for, also where a network uses one in two places."""
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}


def _flattened(optimizer: Optimizer, network: Network) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """An optimiser's tensors by `quantity/parameter`, and its groups as JSON can hold them."""
    state, names = optimizer.state_dict(), [name for name, _ in network.named_parameters()]
    tensors = {
        f"{quantity}/{names[index]}": tensor.contiguous()
        for index, quantities in state["state"].items()
        for quantity, tensor in quantities.items()
    }
    return tensors, state["param_groups"]


def _unflatten(
    optimizer: Optimizer, network: Network, tensors: Mapping[str, Tensor], groups: list[dict[str, Any]]
) -> None:
    parameters = dict(network.named_parameters())
    places = {name: index for index, name in enumerate(parameters)}
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        quantity, _, name = key.partition("/")
        state.setdefault(places[name], {})[quantity] = _laid_out_as(parameters[name], tensor)
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _laid_out_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """The same values in a parameter's memory layout, such as channels_last: fused Adam takes that for granted."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
