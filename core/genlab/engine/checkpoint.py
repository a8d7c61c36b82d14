"""Checkpoints: saved and restored training state, in the files of `checkpoint_files`.

Writes are atomic. Random numbers are functions of the step (see `seeding`), so a checkpoint has no RNG state.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from genlab.engine.bounded_tensors import load_tensors
from genlab.engine.checkpoint_files import (
    average_file,
    checkpoints,
    is_of_optimizer,
    losses_file,
    method_file,
    network_file,
    optimizer_file,
    path_of,
    state_file,
    tensor_files,
)
from genlab.engine.checkpoint_state import (
    IntactCheckpoint,
    TrainProgress,
    damage_error,
    is_best,
    read_progress,
    update_progress,
)
from genlab.engine.divergence import is_finite
from genlab.engine.optimizer_state import load_state_tensors, state_tensors
from genlab.engine.train_state import TrainState, saved_buffers
from genlab.errors import RunError
from genlab.interfaces.method import Method
from genlab.interfaces.network import Network
from genlab.util.files import file_digest, remove_partial, storage_errors, sync


def save(folder: Path, progress: TrainProgress, state: TrainState, keep: int) -> Path:
    """Write the checkpoint of a step below `folder`, and remove all but the best and the last `keep`.

    If a checkpoint of this step exists, its tensors are identical (training is exact); only `state.json` is rewritten.

    Raises:
        StorageError: the disk is full; earlier checkpoints are as they were.
    """
    target = path_of(folder, progress.step)
    _remove_torn(folder)
    if state_file(target).is_file():
        remove_partial(target, state_file(target).name)
        update_progress(target, progress)
    else:
        _write_atomically(target, progress, state)
    for old in checkpoints(folder)[:-keep]:
        if not is_best(old, progress):
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


def _remove_torn(folder: Path) -> None:
    """Remove what killed processes left of checkpoints that they wrote or removed."""
    for torn in folder.glob(".*.partial"):
        shutil.rmtree(torn, ignore_errors=True)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint, renaming it first so that no partial one is visible; errors are ignored."""
    with suppress(OSError):
        shutil.rmtree(checkpoint.rename(_aside(checkpoint)), ignore_errors=True)


def _write(folder: Path, progress: TrainProgress, state: TrainState) -> None:
    digests: dict[str, Future[str]] = {}
    with ThreadPoolExecutor() as pool:
        for path, tensors in _contents(folder, state):
            save_file(tensors, path)
            # While the next file is written
            digests[path.name] = pool.submit(_digest_and_sync, path)
    parts = {name: digest.result() for name, digest in digests.items()}
    state_file(folder).write_text(progress.model_copy(update={"parts": parts}).text(), encoding="utf-8")
    mode = state_file(folder).stat().st_mode  # by the umask, unlike the files of safetensors
    for path in folder.iterdir():
        path.chmod(mode)
    for path in (state_file(folder), folder):
        sync(path)


def _contents(folder: Path, state: TrainState) -> Iterator[tuple[Path, dict[str, Tensor]]]:
    """The files of a checkpoint with their tensors, which are copied when it is their turn."""
    method = state.method
    for role, network in method.networks.items():
        yield network_file(folder, role), _copies(network.state_dict())
        if role in state.optimizers:
            yield optimizer_file(folder, role), _copies(state_tensors(state.optimizers[role], network))
    if state.average:
        for role, network in state.average.networks.items():
            with state.average.applied():
                copies = _copies(network.state_dict())
            yield average_file(folder, role), copies
    yield losses_file(folder), _copies(_loss_buffers(method))
    yield method_file(folder), _copies(method.state())


def _digest_and_sync(path: Path) -> str:
    digest = file_digest(path)
    sync(path)
    return digest


def restore(checkpoint: IntactCheckpoint, state: TrainState) -> TrainProgress:
    """Restore a checkpoint's state in place; returns its progress.

    Raises:
        RunError: the checkpoint is damaged, not finite, or of other networks.
    """
    load_method(checkpoint, state.method)
    with _as_run_error(checkpoint):
        for role, optimizer in state.optimizers.items():
            tensors = _read(checkpoint, optimizer_file(checkpoint.path, role))
            _require_finite(tensors, {}, optimizer_file(checkpoint.path, role))
            load_state_tensors(optimizer, state.method.networks[role], tensors)
        if state.average:
            with state.average.applied():
                for role, network in state.average.networks.items():
                    _load_network(checkpoint, average_file(checkpoint.path, role), network)
    return checkpoint.progress


def load_method(checkpoint: IntactCheckpoint, method: Method, averaged: Collection[str] = ()) -> None:
    """Load networks, loss buffers and method state.

    Args:
        checkpoint: where they are.
        method: where they go.
        averaged: the roles whose weights are to be the averaged ones.

    Raises:
        RunError: they are missing, not finite, or do not fit.
    """
    with _as_run_error(checkpoint):
        for role, network in method.networks.items():
            file = average_file if role in averaged else network_file
            _load_network(checkpoint, file(checkpoint.path, role), network)
        buffers = _read(checkpoint, losses_file(checkpoint.path))
        for name, buffer in _loss_buffers(method).items():
            buffer.copy_(buffers[name])
        device = _device_of(method)
        state = _read(checkpoint, method_file(checkpoint.path))
        method.load_state({name: tensor.to(device, copy=True) for name, tensor in state.items()})


def _load_network(checkpoint: IntactCheckpoint, file: Path, network: Network) -> None:
    tensors = _read(checkpoint, file)
    _require_finite(tensors, network.state_dict(), file)
    network.load_state_dict(tensors)


def _read(checkpoint: IntactCheckpoint, file: Path) -> dict[str, Tensor]:
    """Read the tensors of a file that was checked; `KeyError` for another one."""
    if file.name not in checkpoint.digests:
        raise KeyError(file.name)
    return load_tensors(file)


def _require_finite(tensors: Mapping[str, Tensor], constants: Mapping[str, Tensor], file: Path) -> None:
    """Raise a `RunError` if a tensor is not finite, unless it is a constant of its network, such as a mask."""
    for name, tensor in tensors.items():
        if not is_finite(tensor) and not (name in constants and tensor.equal(constants[name].cpu())):
            raise RunError(
                f"the checkpoint cannot be used: {file.name}: {name} is not finite",
                where=str(file.parent),
                hint="The training diverged. If there is an earlier checkpoint, remove this one to use that.",
            )


def _device_of(method: Method) -> torch.device:
    parameters = (parameter for network in method.networks.values() for parameter in network.parameters())
    return next((parameter.device for parameter in parameters), torch.device("cpu"))


def drop_training_state(folder: Path) -> None:
    """Keep only what predictions need: the last checkpoint and the best, without optimizers' state.

    That is a third of their size. The training cannot be resumed afterwards.
    """
    _remove_torn(folder)
    found = checkpoints(folder)
    with suppress(RunError):  # a damaged one does not say which is the best, so all stay
        for checkpoint in found:
            if checkpoint == found[-1] or is_best(checkpoint, read_progress(found[-1])):
                for path in filter(lambda path: is_of_optimizer(path.name), tensor_files(checkpoint)):
                    path.unlink()
            else:
                _remove(checkpoint)


@contextmanager
def _as_run_error(checkpoint: IntactCheckpoint) -> Generator[None, None, None]:
    """Raise errors of reading as `RunError`s that name the checkpoint and a remedy."""
    try:
        yield
    except (RuntimeError, KeyError) as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else shorten(str(error), 300)
        raise RunError(
            f"the checkpoint does not fit the run's recipe: {reason}",
            where=str(checkpoint.path),
            hint="Restore recipe.toml and the plugins that it was trained with.",
        ) from error
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise damage_error(checkpoint.path, f"the checkpoint cannot be read: {shorten(str(error), 300)}") from error


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy each tensor: safetensors rejects shared memory, as of tied weights."""
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}


def _loss_buffers(method: Method) -> dict[str, Tensor]:
    """Buffers by `label/name`, without parameters, which are not trained and may be large."""
    return {
        f"{label}/{name}": tensor
        for label, (loss, _) in method.losses.items()
        for name, tensor in saved_buffers(loss).items()
    }
