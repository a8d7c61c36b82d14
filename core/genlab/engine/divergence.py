"""Search for NaN and infinities in all that a training carries from step to step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from typing_extensions import override

from genlab.engine.optimizer_state import state_tensors
from genlab.engine.train_state import TrainState, saved_buffers


class TensorName(NamedTuple):
    """Name of a tensor of a training: what it belongs to, such as `the weights of the generator`, and its own."""

    of: str
    name: str

    @override
    def __str__(self) -> str:
        return f"{self.of}: `{self.name}`"


def not_finite(state: TrainState, ignored: Collection[TensorName] = ()) -> list[TensorName]:
    """Tensors that hold NaN or an infinity.

    Args:
        state: the training's.
        ignored: tensors that may, such as a mask with infinities.
    """
    tensors = {name: tensor for name, tensor in _tensors(state) if name not in ignored}
    with torch.no_grad():
        # One transfer from a GPU. A norm may also overflow.
        if get_total_norm(list(tensors.values())).isfinite():
            return []
        return [name for name, tensor in tensors.items() if not is_finite(tensor)]


def is_finite(tensor: Tensor) -> bool:
    """True if a tensor has neither NaN nor infinities.

    On a CPU, the smallest and the largest value are found in a thirtieth of the time of `isfinite().all()`.
    """
    values = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    if values.numel() == 0 or not values.is_floating_point():
        return True
    return bool(torch.stack(values.aminmax()).isfinite().all())


def _tensors(state: TrainState) -> Iterator[tuple[TensorName, Tensor]]:
    """The floating-point tensors that a checkpoint holds."""
    for of, tensors in tensors_by_owner(state):
        for name, tensor in tensors.items():
            if tensor.is_floating_point() or tensor.is_complex():
                yield TensorName(of, name), tensor


def tensors_by_owner(state: TrainState) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """All tensors that a checkpoint holds, by their names, with what they belong to."""
    method = state.method
    for role, network in method.networks.items():
        yield f"the weights of the {role}", dict(network.named_parameters())
        yield f"the buffers of the {role}", saved_buffers(network)
        if role in state.optimizers:
            yield f"the optimizer state of the {role}", state_tensors(state.optimizers[role], network)
    for role, weights in state.average.weights.items() if state.average else ():
        yield f"the averaged weights of the {role}", weights
    for label, (loss, _) in method.losses.items():
        yield f"the buffers of the loss {label}", saved_buffers(loss)
    yield "the state of the method", method.state()
