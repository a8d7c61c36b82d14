"""Convolutions that are computed on a CPU in the form that is fastest for their shape.

Parameters, state dict and results are those of PyTorch's own layers; results to within rounding, 1e-5 of the largest
value. Which form is fastest was measured (`python benchmarks/convolutions.py`) and depends on the shape alone, so that
a run is repeatable.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab_pix2pix.kernels import one_channel, skinny, subpixel, winograd

# Weights of fewer values stay in a core's cache, where reordering them costs little.
_LARGE = 2**20
# The most pixels for which a convolution of large weights is bound by their traffic.
_FEW_PIXELS = 64
# To so few channels, and from so many pixels of a batch, a transposed convolution is faster as one of its phases.
_FEW_CHANNELS, _MANY_INPUTS = 8, 2**12
# What pays for Winograd's transforms: of a kernel by the pixels, of a pixel by the channels.
_MANY_PIXELS, _MANY_CHANNELS = 200, 128


def use_plain_convolutions(network: nn.Module) -> None:
    """Let the convolutions of this module compute as PyTorch's own do."""
    for module in network.modules():
        if isinstance(module, Convolution | TransposedConvolution):
            module.is_plain = True


class Convolution(nn.Conv2d):
    """`nn.Conv2d`; groups, dilation and other padding than zeros are left to it."""

    is_plain = False

    # `input` is what PyTorch's layers call it.
    @override
    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h2 w2"]:
        weight = self.weight  # read once: a spectral norm computes it, and estimates more, each time it is read
        if _was_measured(self, input, weight) and (pixels := input.shape[0] * self._pixels(input)):
            if self._gives_one_channel:
                return _shifted(one_channel.convolve(input, weight, self._padding), self.bias)
            if pixels <= _FEW_PIXELS and weight.numel() >= _LARGE:
                return _shifted(skinny.convolve(input, weight, self.stride, self._padding), self.bias)
            if pixels >= _MANY_PIXELS and self._suits_winograd:
                return _shifted(winograd.convolve(input, weight, self._padding), self.bias)
        return self._conv_forward(input, weight, self.bias)

    def _pixels(self, x: Tensor) -> int:
        """Number of output pixels of an image; none if it is smaller than the kernel."""
        height, width = (
            max((side + 2 * pad - size) // step + 1, 0)
            for side, pad, size, step in zip(x.shape[2:], self._padding, self.kernel_size, self.stride, strict=True)
        )
        return height * width

    @property
    def _padding(self) -> tuple[int, ...]:
        assert isinstance(self.padding, tuple)
        return self.padding

    @property
    def _gives_one_channel(self) -> bool:
        # A pixel has as many products as the kernel has taps, which must pay; fold crops, and does not pad.
        height, width = self.kernel_size
        reaches = self._padding[0] < height and self._padding[1] < width
        return self.out_channels == 1 and self.stride == (1, 1) and height * width <= self.in_channels and reaches

    @property
    def _suits_winograd(self) -> bool:
        is_slide = self.kernel_size == (winograd.KERNEL, winograd.KERNEL) and self.stride == (1, 1)
        return is_slide and min(self.in_channels, self.out_channels) >= _MANY_CHANNELS


class TransposedConvolution(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d`; groups, dilation and output padding are left to it."""

    is_plain = False

    @override
    def forward(
        self, input: Float[Tensor, "n c h w"], output_size: list[int] | None = None
    ) -> Float[Tensor, "n k h2 w2"]:
        if _was_measured(self, input, self.weight) and output_size is None:
            pixels = input.shape[0] * input.shape[2] * input.shape[3]
            if 0 < pixels <= _FEW_PIXELS and self.weight.numel() >= _LARGE:
                assert isinstance(self.padding, tuple)
                return _shifted(skinny.convolve_transposed(input, self.weight, self.stride, self.padding), self.bias)
            if pixels >= _MANY_INPUTS and self._suits_subpixels:
                return _shifted(subpixel.convolve_transposed(input, self.weight), self.bias)
        return super().forward(input, output_size)

    @property
    def _suits_subpixels(self) -> bool:
        window = (self.kernel_size, self.stride, self.padding)
        return window == (subpixel.KERNEL, subpixel.STRIDE, subpixel.PADDING) and self.out_channels <= _FEW_CHANNELS


def _was_measured(layer: Convolution | TransposedConvolution, x: Tensor, weight: Tensor) -> bool:
    """True for a plain layer and a single batch in single precision on a CPU, in eager mode."""
    return (
        not layer.is_plain
        and x.ndim == 4
        and x.shape[1] == layer.in_channels
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and (layer.groups, layer.dilation, layer.output_padding) == (1, (1, 1), (0, 0))
        and layer.padding_mode == "zeros"
        and isinstance(layer.padding, tuple)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        # Gradients that are written here have no rules for vmap and its kin.
        and not torch._C._are_functorch_transforms_active()  # pyright: ignore[reportPrivateUsage]
    )


def _shifted(image: Float[Tensor, "n k h w"], bias: Float[Tensor, " k"] | None) -> Float[Tensor, "n k h w"]:
    return image if bias is None else image + bias[:, None, None]
