"""Weights of a network from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor


class PublishedFile(NamedTuple):
    """A file of weights that is taken as it was published, and no other.

    Args:
        content: in a few words.
        sha256: its hash.
        address: where it is.
    """

    content: str
    sha256: str
    address: str

    def require(self, path: Path, setting: str) -> None:
        """Refuse a file that is not the published one; the error names the setting that gives it.

        Raises:
            ValueError: there is no such file, or it is another.
        """
        if not path.is_file():
            raise ValueError(f"{setting}: there is no file {path}; it is at {self.address}, to be downloaded once")
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != self.sha256:
            what = f"{path} is not {self.content}: its SHA-256 is {digest[:8]}..., expected {self.sha256[:8]}..."
            raise ValueError(f"{setting}: {what}; the published file is at {self.address}")


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read a state dict from a file of safetensors or of `torch.save`; of the latter, tensors alone and no code.

    Raises:
        ValueError: there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        is_safe = path.suffix == ".safetensors"
        loaded: object = load_file(path) if is_safe else torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # PyTorch's reader raises of many kinds for what is no pickle
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise ValueError(f"{path} cannot be read as weights: {reason:.200}") from error
    if not isinstance(loaded, dict) or not all(isinstance(tensor, Tensor) for tensor in loaded.values()):
        raise ValueError(f"{path} is not a state dict, which has a tensor by each name")
    return {str(name): tensor for name, tensor in loaded.items()}
