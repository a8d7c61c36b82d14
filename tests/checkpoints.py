"""What a run's checkpoints hold."""

from __future__ import annotations

from pathlib import Path

from genlab.engine.checkpoint_files import checkpoints, tensor_files
from genlab.util.files import file_digests


def tensor_digests(run: Path) -> dict[str, str]:
    """SHA-256 of the files of a run's last checkpoint that hold tensors, by their names.

    Tests compare these instead of the files' bytes, of which a failing assertion takes minutes to print.
    """
    return file_digests(tensor_files(checkpoints(run / "checkpoints")[-1]))
