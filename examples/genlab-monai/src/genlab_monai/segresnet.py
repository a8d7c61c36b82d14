"""MONAI's SegResNet as a generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from annotated_types import Ge, Lt, MinLen
from genlab import Generator, Level, Skip
from jaxtyping import Float
from monai.networks import nets
from torch import Tensor, nn

_Positive = Annotated[int, Ge(1)]


class SegResNet(Generator):
    """`monai.networks.nets.SegResNet`: an encoder and decoder of residual blocks (Myronenko 2018, arXiv 1810.11654).

    Levels are counted from the outermost, 1, which has the condition's size; each further one halves it and has twice
    as many feature maps. On the way up, what the encoder has at a level is added to what comes from further in. Norms
    are over groups of feature maps, so that training does not depend on the batch size. First weights are those that
    the constructor of MONAI draws.

    Args:
        init_filters: feature maps of the outermost level, a multiple of `groups`.
        blocks_down: residual blocks of each level on the way down, from the outermost.
        blocks_up: residual blocks of each level on the way up, from the innermost; one fewer than `blocks_down`.
        groups: into how many groups a norm divides the feature maps.
        upsample_mode: how a level doubles height and width: `nontrainable`, by linear interpolation as in the paper;
            `deconv`, by a transposed convolution; `pixelshuffle`, by a convolution whose maps become pixels.
        dropout: the share of feature maps that is dropped in training, once, after the first convolution.

    Raises:
        ValueError: if `blocks_up` does not fit `blocks_down`, or `init_filters` is no multiple of `groups`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        init_filters: Annotated[int, Ge(1)] = 32,
        blocks_down: Annotated[list[_Positive], MinLen(2)] = [1, 2, 2, 4],  # noqa: B006  (read only)
        blocks_up: Annotated[list[_Positive], MinLen(1)] = [1, 1, 1],  # noqa: B006
        groups: Annotated[int, Ge(1)] = 8,
        upsample_mode: Literal["nontrainable", "deconv", "pixelshuffle"] = "nontrainable",
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    ) -> None:
        super().__init__()
        if len(blocks_up) != len(blocks_down) - 1:
            count, needed = len(blocks_up), len(blocks_down) - 1
            raise ValueError(f"`blocks_up` has {count} values, and needs one fewer than `blocks_down`, {needed}")
        if init_filters % groups:
            raise ValueError(f"`init_filters` is {init_filters}, and must be a multiple of `groups`, {groups}")
        self.net = nets.SegResNet(
            spatial_dims=2,
            init_filters=init_filters,
            in_channels=in_channels,
            out_channels=out_channels,
            dropout_prob=dropout or None,
            norm=("GROUP", {"num_groups": groups}),
            blocks_down=tuple(blocks_down),
            blocks_up=tuple(blocks_up),
            upsample_mode=upsample_mode,
        )
        # What a skip carries passes through a module of its own, so that it can be looked at, or replaced.
        self.carriers = nn.ModuleList(nn.Identity() for _ in blocks_up)
        self.size_multiple = 2 ** len(blocks_up)

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        innermost, encoded = self.net.encode(condition)
        carried = [carrier(features) for carrier, features in zip(self.carriers, encoded, strict=False)]
        return self.net.decode(innermost, [innermost, *reversed(carried)])

    def levels(self) -> Sequence[Level]:
        """The first convolution, the way down, the way up, and the last convolution."""
        return [Level("first", self.net.convInit), *self._downs(), *self._ups(), Level("last", self.net.conv_final)]

    def _downs(self) -> Iterator[Level]:
        for number, blocks in enumerate(self.net.down_layers, start=1):
            yield Level(f"down {number}", blocks)

    def _ups(self) -> Iterator[Level]:
        """Two parts for each level: the first gives what the skip is added to, the second takes the sum."""
        innermost = len(self.carriers)
        for further_in, (double, blocks) in enumerate(zip(self.net.up_samples, self.net.up_layers, strict=True)):
            number = innermost - further_in
            yield Level(f"double to {number}", double)
            yield Level(f"up {number}", blocks, f"+ down {number}")

    def skips(self) -> Sequence[Skip]:
        """One at each level but the innermost."""
        return [Skip(number, carrier) for number, carrier in enumerate(self.carriers, start=1)]
