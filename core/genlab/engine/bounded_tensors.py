"""Reads of safetensors files whose header is no larger than one ever is."""

from __future__ import annotations

import struct
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from genlab.util.bounded import MIB, require_regular

_LENGTH = struct.Struct("<Q")
_MOST = 8 * MIB
"""Maximum size of a header in bytes, which has a hundred for a tensor; parsing takes some thirty times its size."""


def load_tensors(file: Path) -> dict[str, Tensor]:
    """Read all tensors of a file.

    Raises:
        OSError: it cannot be read, or is not a regular file.
        ValueError: its header is too large.
        SafetensorError: it is damaged.
    """
    require_regular(file)
    with file.open("rb") as opened:
        start = opened.read(_LENGTH.size)
    if len(start) == _LENGTH.size and _LENGTH.unpack(start)[0] > _MOST:
        raise ValueError(f"the header of {file.name} is larger than {_MOST // MIB} MiB")
    return load_file(file)
