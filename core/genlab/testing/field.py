"""Receptive field of a discriminator, measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from genlab.interfaces.network import Network, as_scored


def measured_field(network: Network, image: Float[Tensor, "1 d h w"]) -> tuple[int, int]:
    """Height and width of what the score in the middle of an image depends on; of several maps, the largest.

    Weights become positive, so that every pixel that a score sees adds to it and none takes away.

    Args:
        network: a discriminator; modified in place, so do not reuse it.
        image: without negative values, and so large that no border is near to its middle.
    """
    # In double precision, as there a convolution is computed as it is defined: fast forms round where they see nothing.
    network.eval().double()
    _make_positive(network)
    image = image.double().requires_grad_()
    with _Local():
        maps = as_scored(network(image.detach(), image)).maps
    return max(_seen_by(scores, image) for scores in maps)


def _seen_by(scores: Float[Tensor, "1 1 i j"], image: Float[Tensor, "1 d h w"]) -> tuple[int, int]:
    middle = [side // 2 for side in scores.shape[-2:]]
    (gradient,) = torch.autograd.grad(scores[0, 0, middle[0], middle[1]], image, retain_graph=True)
    seen = gradient.abs().sum(dim=(0, 1)) > 0
    return _extent(seen.any(dim=1)), _extent(seen.any(dim=0))


def _make_positive(network: nn.Module) -> None:
    """Convolutions take means and add 1. What spectral norms remember of a weight is right for one that is constant."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1 / parameter[0].numel() if parameter.ndim > 1 else 1.0)
        for name, buffer in network.named_buffers():
            if name.endswith(("_u", "_v")):
                buffer.fill_(buffer.numel() ** -0.5)


def _extent(seen: Tensor) -> int:
    places = seen.nonzero()
    return int(places.max() - places.min() + 1) if len(places) else 0


def _given(image: Tensor, *_: Any, **__: Any) -> Tensor:
    return image


def _averaged(
    image: Tensor, size: Any, stride: Any = None, padding: Any = 0, *_: Any, ceil_mode: bool = False, **__: Any
) -> Tensor:
    return F.avg_pool2d(image, size, stride or size, padding, ceil_mode)


class _Local(TorchFunctionMode):
    """Norms by an image's own statistics pass on what they get: by them, each score sees the whole image.

    Pooling takes the mean, where the maximum would hide all but one pixel.
    """

    instead: Mapping[str, Callable[..., Tensor]] = {
        "instance_norm": _given,
        "group_norm": _given,
        "layer_norm": _given,
        "rms_norm": _given,
        "max_pool2d": _averaged,
        "adaptive_max_pool2d": F.adaptive_avg_pool2d,
    }

    @override
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return self.instead.get(getattr(func, "__name__", ""), func)(*args, **(kwargs or {}))
