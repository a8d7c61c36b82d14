"""Files of tensors, in the format of safetensors."""

from __future__ import annotations

import struct
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from genlab.util.bounded import MIB

_LENGTH = struct.Struct("<Q")
_MOST = 8 * MIB
"""Maximum size of a header in bytes, which has a hundred for a tensor; parsing takes some thirty times its size."""


def load_tensors(file: Path) -> dict[str, Tensor]:
    """Read all tensors of a file.

    Raises:
        OSError: it cannot be read, or is no regular file.
        ValueError: its header is too large.
        SafetensorError: it is damaged.
    """
    if file.exists() and not file.is_file():
        raise OSError(f"{file.name} is not a regular file")
    with file.open("rb") as opened:
        start = opened.read(_LENGTH.size)
    if len(start) == _LENGTH.size and _LENGTH.unpack(start)[0] > _MOST:
        raise ValueError(f"the header of {file.name} is larger than {_MOST // MIB} MiB")
    return load_file(file)
