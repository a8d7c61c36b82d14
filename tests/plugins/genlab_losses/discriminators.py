"""Discriminators whose gradients are known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlab import Batch, Discriminator, Draws, Position, Scored, StepContext


class Linear(Discriminator):
    """Scores a . x for each of some vectors a, in a map of its own: their gradients are these vectors."""

    receptive_field = min_size = 2

    def __init__(self, *vectors: list[float]) -> None:
        super().__init__()
        self.vectors = nn.ParameterList(nn.Parameter(torch.tensor(vector)) for vector in vectors)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor | Scored:
        maps = [(image.flatten(1) @ vector).view(-1, 1, 1, 1) for vector in self.vectors]
        return maps[0] if len(maps) == 1 else Scored(maps)


class Quadratic(Discriminator):
    """Scores a / 2 |x|^2, of gradient a x."""

    receptive_field = min_size = 2

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return (self.factor / 2 * image.flatten(1).square().sum(dim=1)).view(-1, 1, 1, 1)


class Patches(Discriminator):
    """A map of a times each pixel."""

    receptive_field = min_size = 1

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.factor * image


def step(
    discriminator: Discriminator, target: list[list[float]], prediction: list[list[float]], samples: tuple[int, ...]
) -> StepContext:
    """A step of images of 1 x 2 pixels, a row each."""
    real, made = (torch.tensor(rows).view(-1, 1, 1, 2) for rows in (target, prediction))
    return StepContext(Batch(real, real, Position(), Draws(7, samples)), made, discriminator)
