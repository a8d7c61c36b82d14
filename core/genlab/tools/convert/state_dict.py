"""State dicts of files that `torch.save` wrote, read without running code of theirs."""

from __future__ import annotations

import errno
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any, cast

import torch
from torch import Tensor

from genlab.engine.bounded_tensors import load_tensors
from genlab.engine.divergence import is_finite
from genlab.errors import GenlabError
from genlab.util.bounded import require_regular

_PARALLEL = "module."
_SHOWN = 5


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file by name, without the `module.` that `nn.DataParallel` puts before each.

    Args:
        path: a file of `torch.save`, of any version, or one of safetensors.

    Raises:
        GenlabError: it cannot be read, holds other things than tensors, or values that are not finite.
    """
    tensors = _checked(_load(path), path)
    if all(name.startswith(_PARALLEL) for name in tensors):
        return {name.removeprefix(_PARALLEL): tensor for name, tensor in tensors.items()}
    return tensors


def _load(path: Path) -> object:
    where = str(path)
    try:
        require_regular(path)
        if path.suffix == ".safetensors":
            return load_tensors(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a TorchScript archive, which is refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        is_cut_off = error.errno in (errno.EINVAL, None)  # a reader's jump to where the file should go on
        reason = "it is cut off or empty" if is_cut_off else error.strerror
        raise GenlabError(f"the file cannot be read: {reason}", where=where) from error
    except pickle.UnpicklingError as error:
        what = "the file holds more than tensors, or is damaged; what it holds could run code, so it is not loaded"
        hint = "Where it was trained, save the state dict alone: torch.save(net.state_dict(), FILE)"
        raise GenlabError(what, where=where, hint=hint) from error
    except MemoryError:
        raise
    except Exception as error:  # PyTorch's reader of pickles has no error of its own for damage
        is_cut_off = isinstance(error, EOFError)
        reason = "it is cut off or empty" if is_cut_off else shorten(str(error).partition("\n")[0], 200)
        hint = "Expected a file of torch.save, such as latest_net_G.pth, or one of safetensors."
        raise GenlabError(f"the file cannot be read as weights: {reason}", where=where, hint=hint) from error


def _checked(loaded: object, path: Path) -> dict[str, Tensor]:
    where = str(path)
    if not isinstance(loaded, Mapping):
        raise GenlabError(f"expected a state dict, got a {type(loaded).__name__}", where=where)
    found = {str(name): value for name, value in cast(Mapping[Any, object], loaded).items()}
    tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    if not found or len(tensors) < len(found):
        raise _no_state_dict(found, where)
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() and not name.endswith("num_batches_tracked"):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise GenlabError(f"expected weights with a fraction, got {kind} at {name}", where=where)
        if not _is_plain(tensor):
            raise GenlabError(
                f"expected weights with a value in the file for each, got another tensor at {name}", where=where
            )
        if not is_finite(tensor):
            hint = "Take weights from before the training diverged."
            raise GenlabError(f"{name} is not finite", where=where, hint=hint)
    return tensors


def _is_plain(tensor: Tensor) -> bool:
    """False for tensors that are sparse, have no values, or repeat fewer than they seem to have."""
    is_dense = tensor.layout is torch.strided and tensor.device.type == "cpu"
    return is_dense and tensor.nbytes <= tensor.untyped_storage().nbytes()


def _no_state_dict(found: Mapping[str, object], where: str) -> GenlabError:
    """Error of a dict with other values than tensors, such as a checkpoint with its optimizer."""
    names = ", ".join([*found][:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    inner = next((name for name, value in found.items() if _is_state_dict(value)), None)
    take = f'torch.save(torch.load(FILE, weights_only=True)["{inner}"], NEW_FILE)'
    hint = f"To take `{inner}` out of it: {take}" if inner else None
    what = f"expected a state dict, with a tensor by each name, got a dict with {names or 'nothing'}"
    return GenlabError(what, where=where, hint=hint)


def _is_state_dict(value: object) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(tensor, Tensor) for tensor in cast(Mapping[Any, object], value).values())
