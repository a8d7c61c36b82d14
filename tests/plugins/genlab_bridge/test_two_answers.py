"""Where a condition has two valid answers, samples are one or the other; a regression's prediction is neither."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.optimizers import adam
from torch import Tensor

from genlab import Batch, Draws, Method, Position, Weight, WeightedLoss
from genlab.engine.optimizers import set_rates
from genlab.engine.seeding import initialize
from genlab.engine.step import train_step
from genlab_bridge.method import Bridge
from genlab_losses.l1 import L1
from genlab_losses.l2 import L2
from genlab_optimizers.linear import Linear
from genlab_pix2pix.method import Pix2Pix
from genlab_pix2pix.unet import UNet

SIDE, ANSWER = 8, 0.8
COUNT = 32


def unet(in_channels: int, **settings: Any) -> UNet:
    network = UNet(in_channels=in_channels, out_channels=1, levels=3, channels=16, dropout_blocks=[], **settings)
    initialize(network, 0, "generator")
    return network


def bridge() -> Method:
    losses = {"l2": WeightedLoss(L2(), Weight(1.0))}
    return Bridge({"generator": unet(2, time=True)}, losses, {"condition": 1, "target": 1}, sampling_steps=20)


def regression() -> Method:
    return Pix2Pix({"generator": unet(1)}, {"l1": WeightedLoss(L1(), Weight(1.0))})


def batch(step: int) -> Batch:
    """Blank conditions, each with one of two answers, as a coin decides."""
    coins = torch.randint(2, (COUNT, 1, 1, 1), generator=torch.Generator().manual_seed(step))
    target = ((2.0 * coins - 1) * ANSWER).expand(-1, 1, SIDE, SIDE).contiguous()
    samples = tuple(range(step * COUNT, (step + 1) * COUNT))
    return Batch(torch.zeros_like(target), target, Position(step), Draws(0, samples))


def samples_of(method: Method, steps: int) -> Tensor:
    """Samples of a method after some steps of training, (64, 1, h, w)."""
    optimizers, schedules = adam(method.networks, learning_rate=5e-3), {"generator": Linear()}
    for step in range(steps):
        set_rates(optimizers, schedules, Position(step, steps))
        train_step(method, [batch(step)], optimizers, with_norms=False)
    method.networks["generator"].eval()
    with torch.no_grad():
        return method.predict(torch.zeros(64, 1, SIDE, SIDE))


def shares(samples: Tensor) -> tuple[float, float]:
    """Share of samples that are near the one answer, and near the other."""
    near = [((samples - answer).abs().mean(dim=(1, 2, 3)) < 0.2).float().mean().item() for answer in (-1, 1)]
    return near[0], near[1]


@pytest.fixture(autouse=True)
def drawing() -> None:
    torch.manual_seed(0)


def test_a_bridge_gives_both_answers_and_nothing_in_between() -> None:
    low, high = shares(samples_of(bridge(), 250) / ANSWER)
    assert low + high == 1
    assert 0.3 < low < 0.7


def test_a_regression_does_not() -> None:
    low, high = shares(samples_of(regression(), 60) / ANSWER)
    assert low + high < 1 or low in (0, 1)
