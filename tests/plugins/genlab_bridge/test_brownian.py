"""A Brownian bridge has the moments of its definition."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab_bridge.brownian import BrownianBridge

NOISE = 0.7
SHAPE = (2, 3, 4, 4)


def drawn(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


BRIDGE = BrownianBridge(drawn(0), drawn(1), NOISE)
MIDDLE = torch.tensor([0.2, 0.5])


def test_it_has_the_mean_and_the_deviation_of_its_definition() -> None:
    mean = BRIDGE.at(MIDDLE, torch.zeros(SHAPE))
    torch.testing.assert_close(mean[0], 0.8 * drawn(0)[0] + 0.2 * drawn(1)[0])
    torch.testing.assert_close(mean[1], 0.5 * drawn(0)[1] + 0.5 * drawn(1)[1])
    deviation = BRIDGE.at(MIDDLE, torch.ones(SHAPE)) - mean
    torch.testing.assert_close(deviation[:, 0, 0, 0], torch.tensor([NOISE * 0.4, NOISE * 0.5]))


def test_its_ends_are_fixed() -> None:
    ends = BRIDGE.at(torch.tensor([0.0, 1.0]), drawn(2))
    torch.testing.assert_close(ends, torch.stack([drawn(0)[0], drawn(1)[1]]))


def test_a_point_tells_its_path() -> None:
    torch.testing.assert_close(BRIDGE.normal_of(BRIDGE.at(MIDDLE, drawn(2)), MIDDLE), drawn(2))
