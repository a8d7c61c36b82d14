"""The method finds the true map of a toy task from images that are no pairs.

A condition has a plain ground, a square and a bar; a target is what a condition becomes when its color channels change
places. Each of the three has colors of its own and a brightness of its own, which is dark more often than bright; the
square is nearer to the top and the left more often, and the bar to the right. So no other order of the channels, and no
mirror image, has the distribution of targets: whoever sees both distributions, and keeps what distinguishes images of
one, has the true map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import pytest
import torch
from torch import Tensor, nn

from genlab import Batch, Discriminator, Draws, Generator, Network, Phase, Position, Weight, WeightedLoss
from genlab.engine.step import train_step
from genlab_cyclegan.method import CycleGAN
from genlab_losses.adversarial import Adversarial
from genlab_losses.l1 import L1

SIZE = 16
TRUE = ((2, 0, 1), ())
OTHERS = [
    (order, mirrored) for order in permutations(range(3)) for mirrored in ((), (2,), (3,)) if (order, mirrored) != TRUE
]
GAME = WeightedLoss(Adversarial(objective="lsgan"), Weight(1.0))
CYCLE = WeightedLoss(L1(), Weight(10.0))


def conditions(count: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)

    def drawn() -> float:
        return torch.rand((), generator=rng).item() ** 2

    def color(dark: Sequence[float], bright: Sequence[float]) -> Tensor:
        return torch.tensor(dark).lerp(torch.tensor(bright), drawn())[:, None, None]

    images = torch.empty(count, 3, SIZE, SIZE)
    for image in images:
        image[:] = color((0.3, -0.2, -0.8), (0.8, 0.2, -0.8))
        top, left, right = (int(drawn() * (SIZE - side)) for side in (5, 5, 3))
        image[:, top : top + 5, left : left + 5] = color((-0.8, 0.2, -0.6), (-0.8, 0.9, 0.6))
        image[:, :, SIZE - 2 - right : SIZE - right] = color((-0.9, -0.9, 0.3), (-0.9, -0.3, 0.9))
    return images


def mapped(images: Tensor, order: Sequence[int], mirrored: Sequence[int]) -> Tensor:
    return images[:, list(order)].flip(*mirrored) if mirrored else images[:, list(order)]


class Painter(Generator):
    """Three convolutions, and gray before it is trained."""

    def __init__(self) -> None:
        super().__init__()
        inner = [nn.Conv2d(3, 16, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(16, 16, 3, padding=1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*inner, nn.Conv2d(16, 3, 3, padding=1))
        nn.init.zeros_(self.layers[-1].weight)

    def forward(self, condition: Tensor) -> Tensor:
        return self.layers(condition)


class Judge(Discriminator):
    """Three convolutions, each score of which sees most of an image."""

    receptive_field, min_size = 18, 4

    def __init__(self) -> None:
        super().__init__()
        inner = [nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*inner, nn.Conv2d(32, 1, 3, padding=1))

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.layers(image)


class WrongReals(CycleGAN):
    """Takes conditions for real targets, and targets for real conditions."""

    def phases(self) -> Sequence[Phase]:
        generators, *discriminators = super().phases()
        return [generators, *map(wrong, discriminators)]


def wrong(phase: Phase) -> Phase:
    return replace(phase, terms=lambda batch, outputs: phase.terms(batch.reversed(), outputs))


def trained(cls: type[CycleGAN] = CycleGAN, steps: int = 100, seed: int = 0, **losses: WeightedLoss) -> CycleGAN:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        networks: Mapping[str, Network] = {
            "generator": Painter(),
            "generator_back": Painter(),
            "discriminator": Judge(),
            "discriminator_back": Judge(),
        }
    method = cls(networks, losses, {"condition": 3, "target": 3})
    optimizers = {
        role: torch.optim.Adam(network.parameters(), lr=5e-3, betas=(0.5, 0.999)) for role, network in networks.items()
    }
    sides = conditions(256, seed=1), mapped(conditions(256, seed=2), *TRUE)
    rng = torch.Generator().manual_seed(seed)
    for step in range(steps):
        for optimizer in optimizers.values():
            optimizer.param_groups[0]["lr"] = 5e-3 * min(1.0, 2 - 2 * step / steps)
        drawn = (side[torch.randint(256, (8,), generator=rng)] for side in sides)
        batch = Batch(*drawn, Position(step, steps), Draws(seed, tuple(range(8 * step, 8 * step + 8))))
        train_step(method, [batch], optimizers, with_norms=False)
    return method


def distances(method: CycleGAN) -> tuple[float, float, float]:
    """On pairs that it has not seen: mean absolute difference to the true map, to the nearest other, and back."""
    held_out = conditions(64, seed=3)
    targets = mapped(held_out, *TRUE)
    with torch.no_grad():
        predictions, back = method.predict(held_out), method.predict_condition(targets)
    others = [(predictions - mapped(held_out, *other)).abs().mean().item() for other in OTHERS]
    return (predictions - targets).abs().mean().item(), min(others), (back - held_out).abs().mean().item()


def test_no_other_map_gives_the_distribution_of_targets():
    drawn = conditions(256, seed=1)
    mean = mapped(conditions(256, seed=2), *TRUE).mean(dim=0)
    right = (mapped(drawn, *TRUE).mean(dim=0) - mean).abs().mean()
    assert all((mapped(drawn, *other).mean(dim=0) - mean).abs().mean() > 3 * right for other in OTHERS)


def test_it_finds_the_true_map():
    true, other, back = distances(trained(game=GAME, cycle=CYCLE))
    assert true < 0.1
    assert back < 0.1
    assert other > 2 * true


@pytest.mark.parametrize(
    ("cls", "losses"),
    [(CycleGAN, {"game": GAME}), (WrongReals, {"game": GAME, "cycle": CYCLE})],
    ids=["without the cycle", "with the wrong images taken for real"],
)
def test_it_would_show_if_a_part_were_missing_or_wrong(cls: type[CycleGAN], losses: Mapping[str, WeightedLoss]):
    true, _, back = distances(trained(cls, **losses))
    assert true > 0.15
    assert back > 0.15
