"""The discriminator's suite lets sound discriminators of many kinds through."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.core.testing.conftest import failures
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from genlab import Discriminator, Level, Scored
from genlab.testing import DiscriminatorSuite, ToyDiscriminator


class Layers(Discriminator):
    """Layers one after the other, that halve the image first."""

    receptive_field = min_size = 10

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__()
        self.layers = self.made(condition_channels + image_channels)

    def made(self, channels: int) -> nn.Sequential:
        first, second = nn.Conv2d(channels, 4, 4, stride=2), nn.Conv2d(4, 1, 4)
        return nn.Sequential(first, nn.LeakyReLU(0.2), second)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.layers(torch.cat([condition, image], dim=1))


class Spectral(Layers):
    """Spectral norm, as most have today."""

    def made(self, channels: int) -> nn.Sequential:
        first, activation, second = super().made(channels)
        return nn.Sequential(spectral_norm(first), activation, spectral_norm(second))


class Pooling(Layers):
    """The maximum of pixels, by a module and by a function."""

    receptive_field = min_size = 12

    def made(self, channels: int) -> nn.Sequential:
        first, second = nn.Conv2d(channels, 4, 3), nn.Conv2d(4, 1, 2)
        return nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), Maximum(), second)


class Maximum(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return F.max_pool2d(features, 3, stride=2)


class InstanceNormed(Layers):
    """Norms by an image's own statistics, which cannot take a single pixel."""

    min_size = 12

    def made(self, channels: int) -> nn.Sequential:
        first, activation, _ = super().made(channels)
        return nn.Sequential(
            first, nn.GroupNorm(2, 4), activation, nn.Conv2d(4, 4, 4), nn.InstanceNorm2d(4), nn.Conv2d(4, 1, 1)
        )


class BatchNormed(InstanceNormed):
    """A norm that cannot take a single pixel in training, though in evaluation it can."""

    def made(self, channels: int) -> nn.Sequential:
        layers = super().made(channels)
        layers[4] = nn.BatchNorm2d(4)
        return layers


class BatchNormedInEvaluation(BatchNormed):
    """The same, and it states what evaluation takes."""

    min_size = 10


class Normalizing(Layers):
    """Frozen features, of images as the network was trained on, below zero for dark ones."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.layers[0].requires_grad_(False)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward((condition - 0.45) / 0.225, (image - 0.45) / 0.225)


class Unconditional(Layers):
    """Looks at the image alone."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(0, image_channels)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.layers(image)


class OfTwoSizes(Discriminator):
    """Scores the image and its half, with features of both."""

    receptive_field, min_size = 6, 6
    feature_channels = (4, 4)

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__()
        seen = condition_channels + image_channels
        self.inner = nn.ModuleList(nn.Conv2d(seen, 4, 3) for _ in range(2))
        self.outer = nn.ModuleList(nn.Conv2d(4, 1, 1) for _ in range(2))

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        seen = torch.cat([condition, image], dim=1)
        inputs = [seen, F.avg_pool2d(seen, 2)]
        features = [F.leaky_relu(inner(each)) for inner, each in zip(self.inner, inputs, strict=True)]
        return Scored([outer(each) for outer, each in zip(self.outer, features, strict=True)], features)

    def levels(self) -> list[Level]:
        return [Level(f"scale {at}", layer) for at, layer in enumerate(self.outer, start=1)]


SOUND = [
    OfTwoSizes,
    ToyDiscriminator,
    Layers,
    Spectral,
    Pooling,
    InstanceNormed,
    BatchNormed,
    BatchNormedInEvaluation,
    Normalizing,
    Unconditional,
]


@pytest.mark.parametrize("discriminator", SOUND)
def test_a_sound_one_passes(discriminator: type[Discriminator]) -> None:
    assert failures(DiscriminatorSuite, discriminator) == {}
