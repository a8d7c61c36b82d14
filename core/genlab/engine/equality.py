"""Check that the processes of a training have the same weights."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.engine.divergence import TensorName, tensors_by_owner
from genlab.engine.processes import Processes
from genlab.engine.train_state import TrainState
from genlab.errors import TrainingError

_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def require_equal_state(state: TrainState, processes: Processes, step: int) -> None:
    """Check that all that a checkpoint holds is the same in all processes, by checksums.

    Raises:
        TrainingError: it is not; the first process says so, and the others raise a `LostProcessError`.
    """
    if processes.is_alone:
        return
    names, sums = _checksums(state)
    found = processes.of_each((names, sums))
    with processes.together():
        for rank, other in enumerate(found):
            if other != found[0]:
                differing = [
                    name for name, *both in zip(names, found[0][1], other[1], strict=False) if len({*both}) > 1
                ]
                more = f", first {differing[0]}" if differing else ""
                what = f"process {rank} has other values than process 0 at step {step:,}{more}; nothing is saved"
                hint = (
                    "A network or a loss has buffers that depend on the images that a process sees, or the processes "
                    "compute with different devices or libraries."
                )
                raise TrainingError(what, hint=hint)


def _checksums(state: TrainState) -> tuple[list[TensorName], list[int]]:
    """The names of all tensors, and the sum of each one's bits as integers; read from a GPU in one transfer."""
    tensors = {TensorName(of, name): tensor for of, group in tensors_by_owner(state) for name, tensor in group.items()}
    device = next((tensor.device for tensor in tensors.values()), torch.device("cpu"))
    sums = [_checksum(tensor).to(device) for tensor in tensors.values()]
    return list(tensors), torch.stack(sums).tolist() if sums else []


def _checksum(tensor: Tensor) -> Tensor:
    values = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return values.detach().contiguous().view(_INTEGERS[values.element_size()]).sum(dtype=torch.int64)
