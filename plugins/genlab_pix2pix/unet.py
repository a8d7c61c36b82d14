"""The U-Net generator, and by `skips = false` the encoder-decoder that the paper compares it with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from annotated_types import Ge, Le, Lt
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab import Generator, Level, Skip
from genlab_pix2pix.blocks import LEAK, Block, Norm, block, draw_weights, normalization, width
from genlab_pix2pix.kernels.convolutions import Convolution, TransposedConvolution, use_plain_convolutions
from genlab_pix2pix.time_embedding import TimeEmbedding, TimeModulation


class UNet(Generator):
    """An encoder and a decoder with skip connections between their levels (Isola et al. 2017, section 3.2.1 and 6.1).

    Levels are counted from the outermost, 1. Encoder i halves the side of its input; decoder i doubles it, and where
    level i has a skip, the output of encoder i is put before its input, channel by channel. A block is

    - encoder: LeakyReLU 0.2, convolution 4x4 of stride 2, norm. The first has the convolution alone, and the
      innermost no norm: it may have a single pixel, which a norm would make zero at batch 1.
    - decoder: ReLU, transposed convolution 4x4 of stride 2, norm, dropout. The outermost ends with its convolution.

    A skip carries an encoder's output before any activation. Some implementations carry it after the next LeakyReLU;
    as the decoder starts with a ReLU, that gives the same, and a variant without skips has the same layers.

    Only the outermost transposed convolution has a bias, as the norm layers shift; with `norm = "none"`, or `bias`, all
    have.

    With `time = true` it takes a time from 0 to 1, which scales and shifts the features of each block but the outermost
    decoder, after the norm. Without, its features are the encoder's outputs.

    Args:
        levels: how often the image is halved; its height and width must be multiples of 2 ** levels.
        channels: feature maps of the outermost level; they double with each level, up to 8 times as many.
        skips: true for a skip connection at each level but the innermost, false for none, or a list of levels.
        norm: batch norm, instance norm (with scale and shift), or none.
        dropout_blocks: which decoder blocks have dropout, 1 being the innermost. The paper's are [1, 2, 3], those of
            its reference in PyTorch [2, 3, 4]. The outermost never has; a network of 2 or 3 levels has those there are.
        dropout: the share of features that is dropped in training.
        bias: whether every convolution has a bias, as those of the reference in PyTorch have with instance norm.
        time: whether it takes a time, as the network of a flow, a bridge or a diffusion does.

    Raises:
        ValueError: if `skips` or `dropout_blocks` names a level or block that cannot have one.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        levels: Annotated[int, Ge(2), Le(16)] = 8,
        channels: Annotated[int, Ge(1)] = 64,
        skips: bool | list[int] = True,
        norm: Norm = "batch",
        dropout_blocks: list[int] = [1, 2, 3],  # noqa: B006  (read only)
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.5,
        bias: bool = False,
        time: bool = False,
    ) -> None:
        super().__init__()
        _check_dropout_blocks(dropout_blocks, levels)
        self.depth = levels
        self.size_multiple = 2**levels
        self.skips_at = _skip_levels(skips, levels)
        widths = [width(channels, level) for level in range(1, levels + 1)]
        self.inputs = {"time": 1} if time else {}
        self.feature_channels = () if time else widths
        embedded = 4 * channels if time else None
        bias = bias or norm == "none"

        self.encoder = nn.ModuleList(
            _encoder_block(fan_in, fan_out, norm, embedded, bias, outermost=level == 1, innermost=level == levels)
            for level, (fan_in, fan_out) in enumerate(pairwise([in_channels, *widths]), start=1)
        )
        # Level by level as the encoder, though the forward pass, and `dropout_blocks`, go from the innermost.
        self.decoder = nn.ModuleList(
            _decoder_block(
                2 * fan_in if level in self.skips_at else fan_in,
                fan_out,
                norm,
                embedded,
                bias,
                dropout if levels + 1 - level in dropout_blocks else None,
                outermost=level == 1,
            )
            for level, (fan_out, fan_in) in enumerate(pairwise([out_channels, *widths]), start=1)
        )

        # What a skip carries passes through a module of its own, so that it can be looked at, or replaced.
        self.carriers = nn.ModuleDict({str(level): nn.Identity() for level in sorted(self.skips_at)})
        if embedded is not None:
            self.time = TimeEmbedding(embedded)

    @override
    def forward(
        self, condition: Float[Tensor, "n c h w"], *, time: Float[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n d h w"]:
        if (time is not None) != bool(self.inputs):
            raise ValueError(f"expected {'a' if self.inputs else 'no'} time: the setting `time` is {bool(self.inputs)}")
        embedded = None if time is None else self.time(time)
        features = self._encoded(condition, embedded)
        decoded = features[-1]
        for level in range(self.depth, 0, -1):
            if level in self.skips_at:
                decoded = torch.cat([self.carriers[str(level)](features[level]), decoded], dim=1)
            decoded = self.decoder[level - 1](decoded, embedded)
        return decoded

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The outputs of the encoder's blocks, of one image, from the outermost."""
        return self._encoded(*images)[1:] if self.feature_channels else super().features(*images)

    def _encoded(
        self, condition: Float[Tensor, "n c h w"], embedded: Float[Tensor, "n e"] | None = None
    ) -> list[Float[Tensor, "n _ _ _"]]:
        features = [condition]
        for encode in self.encoder:
            features.append(encode(features[-1], embedded))
        return features

    @override
    def make_plain(self) -> None:
        use_plain_convolutions(self)

    @override
    def levels(self) -> Sequence[Level]:
        """The blocks in the order of the forward pass: encoder 1 to the innermost, and decoders back to 1."""
        encoder = [Level(f"encoder {level}", module) for level, module in enumerate(self.encoder, start=1)]
        decoder = [
            Level(f"decoder {level}", module, f"+ encoder {level}" if level in self.skips_at else "")
            for level, module in enumerate(self.decoder, start=1)
        ]
        return [*encoder, *reversed(decoder)]

    @override
    def skips(self) -> Sequence[Skip]:
        return [Skip(int(level), carrier) for level, carrier in self.carriers.items()]

    @override
    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        draw_weights(name, parameter, rng)


def _encoder_block(
    fan_in: int, fan_out: int, norm: Norm, embedded: int | None, bias: bool, *, outermost: bool, innermost: bool
) -> Block:
    return block(
        activation=None if outermost else nn.LeakyReLU(LEAK),
        conv=Convolution(fan_in, fan_out, 4, stride=2, padding=1, bias=bias),
        norm=None if outermost or innermost else normalization(norm, fan_out),
        time=None if embedded is None else TimeModulation(embedded, fan_out),
    )


def _decoder_block(
    fan_in: int,
    fan_out: int,
    norm: Norm,
    embedded: int | None,
    bias: bool,
    dropout: float | None,
    *,
    outermost: bool,
) -> Block:
    return block(
        activation=nn.ReLU(),
        conv=TransposedConvolution(fan_in, fan_out, 4, stride=2, padding=1, bias=outermost or bias),
        norm=None if outermost else normalization(norm, fan_out),
        time=None if outermost or embedded is None else TimeModulation(embedded, fan_out),
        dropout=None if outermost or dropout is None else nn.Dropout(dropout),
    )


def _skip_levels(skips: bool | list[int], levels: int) -> frozenset[int]:
    """The levels that have a skip; the innermost can't, as there encoder and decoder meet."""
    valid = range(1, levels)
    chosen = [level for level in valid if skips] if isinstance(skips, bool) else skips
    if wrong := [level for level in chosen if level not in valid]:
        raise ValueError(
            f"skips names level {wrong[0]}; with {levels} levels a skip can be at levels 1 to {levels - 1}"
            " (1 is the outermost)"
        )
    return frozenset(chosen)


def _check_dropout_blocks(dropout_blocks: list[int], levels: int) -> None:
    """The paper's three may be named in networks that have fewer, so that the default suits every network."""
    if wrong := [number for number in dropout_blocks if not 1 <= number < max(levels, 4)]:
        raise ValueError(
            f"dropout_blocks names decoder block {wrong[0]}; with {levels} levels dropout can be in blocks 1"
            f" (the innermost) to {levels - 1}: the outermost has none"
        )
