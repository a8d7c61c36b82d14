"""Device tests without a GPU, on PyTorch's `meta` device, whose tensors have shapes and no values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import SkipTest

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from typing_extensions import override

from genlab.testing.suite import ConformanceError

_DEVICE = "meta"
_MIXING = {"to", "copy_", "type_as", "__getitem__"}
"""Functions that take tensors of two devices on a GPU as well."""


def require_one_device(module: nn.Module, call: Callable[..., object], *inputs: Tensor) -> None:
    """Fail if a module, sent to another device, computes there with tensors that were left behind.

    The module is modified in place; do not reuse it.

    Args:
        module: parameters and buffers go along, and nothing else.
        call: what to call, the module itself or one of its methods.
        inputs: what with.
    """
    module.to(_DEVICE)
    moved = [tensor.to(_DEVICE) for tensor in inputs]
    try:
        with _OneDevice():
            call(*moved)
    except (NotImplementedError, RuntimeError) as error:
        if _DEVICE not in str(error):
            raise
        raise SkipTest(f"its computation depends on values, which the meta device does not have: {error}") from error


class _OneDevice(TorchFunctionMode):
    """Fails as soon as one of PyTorch's functions is given tensors of two devices; numbers may be on any."""

    @override
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor) and leaf.ndim > 0]
        left = [tensor for tensor in given if tensor.device.type != _DEVICE]
        name = getattr(func, "__name__", "")
        if left and len(left) < len(given) and name not in _MIXING:
            what = f"moved to another device, it calls `{name}` with a tensor {tuple(left[0].shape)} on the old one"
            raise ConformanceError(f"{what}: make it a buffer, or create it on the device of the input")
        return func(*args, **(kwargs or {}))
