"""Networks with the structure and the key names of pytorch-CycleGAN-and-pix2pix, models/networks.py.

Facts about that file, at commit 78913853ab4a4f5eba717af8433809300c99f0bb: which layer has which number in which
sequence, where biases, paddings, norms and dropout are, and that activations work in place. Later versions have other
defaults of instance norm (no running statistics), and `none` as an identity; `tracked` and `norm="none"` are those.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

Norm = Callable[[int], nn.Module]


def norm_layer(norm: str, *, tracked: bool = False) -> Norm:
    return {
        "batch": nn.BatchNorm2d,
        "instance": partial(nn.InstanceNorm2d, track_running_stats=tracked),
        "none": lambda _: nn.Identity(),
    }[norm]


class Skipped(nn.Module):
    """A level of the U-Net, whose input goes along beside its output."""

    def __init__(self, layers: list[nn.Module], *, is_outermost: bool = False) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.is_outermost = is_outermost

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.is_outermost else torch.cat([x, self.model(x)], 1)


class UNet(nn.Module):
    def __init__(
        self,
        levels: int,
        norm: str = "batch",
        channels: int = 4,
        sides: tuple[int, int] = (3, 3),
        *,
        dropout: bool = True,
        tracked: bool = False,
    ) -> None:
        super().__init__()
        make, bias = norm_layer(norm, tracked=tracked), norm == "instance"
        widths = [channels * min(2**level, 8) for level in range(levels)]
        down = partial(nn.Conv2d, kernel_size=4, stride=2, padding=1, bias=bias)
        up = partial(nn.ConvTranspose2d, kernel_size=4, stride=2, padding=1, bias=bias)
        outer, inner = widths[-2:]
        block = Skipped([nn.LeakyReLU(0.2, True), down(outer, inner), nn.ReLU(True), up(inner, outer), make(outer)])
        for level in range(levels - 2, 0, -1):
            outer, inner = widths[level - 1], widths[level]
            before = [nn.LeakyReLU(0.2, True), down(outer, inner), make(inner)]
            after = [nn.ReLU(True), up(2 * inner, outer), make(outer)]
            dropped = [nn.Dropout(0.5)] if dropout and level >= 4 else []
            block = Skipped([*before, block, *after, *dropped])
        last = nn.ConvTranspose2d(2 * channels, sides[1], kernel_size=4, stride=2, padding=1)
        self.model = Skipped([down(sides[0], channels), block, nn.ReLU(True), last, nn.Tanh()], is_outermost=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Residual(nn.Module):
    def __init__(self, channels: int, make: Norm, *, bias: bool, dropout: bool) -> None:
        super().__init__()
        conv = partial(nn.Conv2d, channels, channels, kernel_size=3, bias=bias)
        dropped = [nn.Dropout(0.5)] if dropout else []
        first = [nn.ReflectionPad2d(1), conv(), make(channels), nn.ReLU(True)]
        self.conv_block = nn.Sequential(*first, *dropped, nn.ReflectionPad2d(1), conv(), make(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class ResNet(nn.Module):
    def __init__(
        self,
        blocks: int,
        norm: str = "instance",
        channels: int = 4,
        sides: tuple[int, int] = (3, 3),
        *,
        dropout: bool = False,
        tracked: bool = False,
    ) -> None:
        super().__init__()
        make, bias = norm_layer(norm, tracked=tracked), norm == "instance"
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(sides[0], channels, 7, bias=bias)]
        layers += [make(channels), nn.ReLU(True)]
        for width in (channels, 2 * channels):
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias), make(2 * width), nn.ReLU(True)]
        layers += [Residual(4 * channels, make, bias=bias, dropout=dropout) for _ in range(blocks)]
        for width in (4 * channels, 2 * channels):
            up = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)
            layers += [up, make(width // 2), nn.ReLU(True)]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(channels, sides[1], 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class PatchGAN(nn.Module):
    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        first = [nn.Conv2d(6, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        self.model = nn.Sequential(*first, nn.Conv2d(channels, 1, 4, padding=1))


def settled(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give a network weights, biases and statistics that all matter."""
    random = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=random)
        elif tensor.ndim == 1 and name.endswith("weight"):
            tensor.normal_(1, 0.2, generator=random)
        elif tensor.ndim == 1:
            tensor.normal_(0, 0.2, generator=random)
        else:
            fan = tensor[0].numel()
            tensor.normal_(0, (2 / fan) ** 0.5, generator=random)
    return network
