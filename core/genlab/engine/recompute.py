"""Forward passes whose intermediate results are computed again for the backward pass, and not kept until then."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from torch import Tensor
from torch.utils.checkpoint import checkpoint
from typing_extensions import override

from genlab.engine.snapshot import Snapshot
from genlab.interfaces.batch import Batch
from genlab.interfaces.method import Method, Outputs


def recomputed_forward(method: Method, batch: Batch) -> Outputs:
    """Compute a method's forward pass, and again once gradients are taken through it.

    Gradients are those of an ordinary forward pass: the second one starts with the random numbers, buffers and method's
    state of the first one, and leaves none of them changed. (Chen et al. 2016, arXiv 1604.06174.)
    """

    def forward(condition: Tensor, target: Tensor) -> Outputs:
        return method.forward(batch._replace(condition=condition, target=target))

    # Tensors are arguments, so that the random numbers of their device are those of the first time.
    return checkpoint(forward, *batch.sides, use_reentrant=False, context_fn=lambda: (nullcontext(), _AsBefore(method)))


class _AsBefore(AbstractContextManager[None]):
    """Context in which what a forward pass changes is as it was when the context was made; restored afterwards."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._before = self._now = Snapshot(method)

    @override
    def __enter__(self) -> None:
        self._now = Snapshot(self._method)
        self._before.restore()

    @override
    def __exit__(self, *_error: object) -> None:
        self._now.restore()
