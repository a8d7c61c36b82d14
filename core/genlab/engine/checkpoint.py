"""Checkpoints: saved and restored training state, in the files of `checkpoint_files`.

Writes are atomic. Random numbers are functions of the step (see `seeding`), so a checkpoint has no RNG state.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from genlab.engine.checkpoint_files import (
    checkpoints,
    losses_file,
    method_file,
    network_file,
    optimizer_file,
    optimizer_files,
    path_of,
    state_file,
    step_of,
)
from genlab.errors import RunError
from genlab.interfaces.method import Method
from genlab.interfaces.network import Network
from genlab.util.files import remove_partial, storage_errors, sync, write_text


class TrainProgress(BaseModel):
    """Progress of a training at a checkpoint.

    Args:
        step: steps done.
        validated: whether the validation that is due at this step was made.
        previewed: whether the pictures that are due at this step were made.
        metrics: the last validation's.
        loss_scale: how objectives are scaled in float16.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", ser_json_inf_nan="constants")

    format: Literal[2] = 2
    step: Annotated[int, Field(ge=0)] = 0
    validated: bool = False
    previewed: bool = False
    metrics: dict[str, float] = Field(default_factory=dict[str, float])
    loss_scale: dict[str, float] = Field(default_factory=dict[str, float])


@dataclass(frozen=True)
class TrainState:
    """Everything that training changes: networks, losses and optimizers."""

    method: Method
    optimizers: Mapping[str, Optimizer]


def save(folder: Path, progress: TrainProgress, state: TrainState, keep: int) -> Path:
    """Write the checkpoint of a step below `folder`, and remove all but the last `keep`.

    If a checkpoint of this step exists, its tensors are identical (training is exact); only `state.json` is rewritten.

    Raises:
        StorageError: the disk is full; earlier checkpoints are as they were.
    """
    target = path_of(folder, progress.step)
    for torn in folder.glob(".*.partial"):
        shutil.rmtree(torn, ignore_errors=True)
    if state_file(target).is_file():
        remove_partial(target, state_file(target).name)
        write_text(state_file(target), progress.model_dump_json(indent=2))
    else:
        _write_atomically(target, progress, state)
    for old in checkpoints(folder)[:-keep]:
        _remove(old)
    return target


def _write_atomically(target: Path, progress: TrainProgress, state: TrainState) -> None:
    aside = _aside(target)
    try:
        with storage_errors(target, SafetensorError):
            target.parent.mkdir(exist_ok=True)
            aside.mkdir()
            _write(aside, progress, state)
            aside.rename(target)
            sync(target.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint, renaming it first so that no partial one is visible; errors are ignored."""
    with suppress(OSError):
        shutil.rmtree(checkpoint.rename(_aside(checkpoint)), ignore_errors=True)


def _write(folder: Path, progress: TrainProgress, state: TrainState) -> None:
    method = state.method
    for role, network in method.networks.items():
        save_file(_copies(network.state_dict()), network_file(folder, role))
        save_file(_flattened(state.optimizers[role], network), optimizer_file(folder, role))
    save_file(_copies(_loss_buffers(method)), losses_file(folder))
    save_file(_copies(method.state()), method_file(folder))
    state_file(folder).write_text(progress.model_dump_json(indent=2))
    mode = state_file(folder).stat().st_mode  # by the umask, unlike the files of safetensors
    for path in folder.iterdir():
        path.chmod(mode)
        sync(path)
    sync(folder)


def restore(checkpoint: Path, state: TrainState) -> TrainProgress:
    """Restore a checkpoint's state in place; returns its progress.

    Raises:
        RunError: the checkpoint is damaged, or of other networks.
    """
    load_method(checkpoint, state.method)
    with _as_run_error(checkpoint):
        for role, network in state.method.networks.items():
            _unflatten(state.optimizers[role], network, load_file(optimizer_file(checkpoint, role)))
    return read_progress(checkpoint)


def read_progress(checkpoint: Path) -> TrainProgress:
    """Read the progress of a training; `RunError` if it cannot be read."""
    with _as_run_error(checkpoint):
        try:
            progress = TrainProgress.model_validate_json(state_file(checkpoint).read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"state.json: {'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}") from error
        if progress.step != step_of(checkpoint):
            raise ValueError(f"state.json is of step {progress.step}")
        return progress


def load_method(checkpoint: Path, method: Method) -> None:
    """Load networks, loss buffers and method state; `RunError` if they are missing or do not fit."""
    read_progress(checkpoint)
    with _as_run_error(checkpoint):
        for role, network in method.networks.items():
            network.load_state_dict(load_file(network_file(checkpoint, role)))
        buffers = load_file(losses_file(checkpoint))
        for name, buffer in _loss_buffers(method).items():
            buffer.copy_(buffers[name])
        device = _device_of(method)
        state = load_file(method_file(checkpoint))
        method.load_state({name: tensor.to(device, copy=True) for name, tensor in state.items()})


def _device_of(method: Method) -> torch.device:
    parameters = (parameter for network in method.networks.values() for parameter in network.parameters())
    return next((parameter.device for parameter in parameters), torch.device("cpu"))


def forget_optimizers(checkpoint: Path) -> None:
    """Remove the optimizers' state, two thirds of the size; the training cannot be resumed from here afterwards."""
    for path in optimizer_files(checkpoint):
        path.unlink()


@contextmanager
def _as_run_error(checkpoint: Path) -> Generator[None, None, None]:
    """Raise errors of reading as `RunError`s that name the checkpoint and a remedy."""
    try:
        yield
    except (RuntimeError, KeyError) as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else shorten(str(error), 300)
        raise RunError(
            f"the checkpoint does not fit the run's recipe: {reason}",
            where=str(checkpoint),
            hint="Restore recipe.toml and the plugins that it was trained with.",
        ) from error
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise RunError(
            f"the checkpoint cannot be read: {shorten(str(error), 300)}",
            where=str(checkpoint),
            hint="If it is damaged and there is an earlier one beside it, remove this one and resume again.",
        ) from error


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy each tensor: safetensors rejects shared memory, as of tied weights."""
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}


def _loss_buffers(method: Method) -> dict[str, Tensor]:
    """Buffers by `label/name`, without parameters, which are not trained and may be large."""
    buffers: dict[str, Tensor] = {}
    for label, (loss, _) in method.losses.items():
        parameters = {name for name, _ in loss.named_parameters(remove_duplicate=False)}
        state: dict[str, Tensor] = loss.state_dict()
        buffers |= {f"{label}/{name}": tensor for name, tensor in state.items() if name not in parameters}
    return buffers


def _flattened(optimizer: Optimizer, network: Network) -> dict[str, Tensor]:
    """An optimizer's state by `quantity/parameter`."""
    names = [name for name, _ in network.named_parameters()]
    return {
        f"{quantity}/{names[index]}": tensor.contiguous()
        for index, quantities in optimizer.state_dict()["state"].items()
        for quantity, tensor in quantities.items()
    }


def _unflatten(optimizer: Optimizer, network: Network, tensors: Mapping[str, Tensor]) -> None:
    parameters = dict(network.named_parameters())
    indices = {name: index for index, name in enumerate(parameters)}
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        quantity, _, name = key.partition("/")
        state.setdefault(indices[name], {})[quantity] = _laid_out_as(parameters[name], tensor)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Copy in a parameter's memory layout, such as channels_last, which fused Adam assumes."""
    if tensor.shape not in (parameter.shape, ()):
        expected, given = tuple(parameter.shape), tuple(tensor.shape)
        raise RuntimeError(f"expected an optimizer's state of shape {expected}, got {given}")
    if tensor.shape != parameter.shape:
        return tensor.clone()  # a memory-mapped file cannot be removed on Windows
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
