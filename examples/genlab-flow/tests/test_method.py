"""It does all that genlab asks of a method, follows velocities, and predicts by the average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from genlab import Batch, Draws, Generator, Position
from genlab.testing import MethodSuite
from torch import nn

from genlab_flow.method import Flow

SIDES = {"condition": 3, "target": 3}


class TestFlow(MethodSuite):
    component = Flow
    settings: ClassVar[Mapping[str, Any]] = {"sampling_steps": 4}


class Straight(Generator):
    """The velocity that leads to the condition, whatever else it is given; a weight and a buffer to be averaged."""

    inputs: ClassVar[Mapping[str, int]] = {"time": 1}

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(value))
        self.register_buffer("seen", torch.tensor(value))

    def forward(self, condition, *, time):
        condition, image = condition.chunk(2, dim=1)
        return (condition - image) / (1 - time[:, None, None, None])


def flow(**settings: Any) -> Flow:
    return Flow({"generator": Straight(1.0), "average": Straight()}, {}, SIDES, **settings)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_prediction_follows_the_velocities(steps: int) -> None:
    condition = torch.rand(2, 3, 8, 8) * 2 - 1
    torch.testing.assert_close(flow(sampling_steps=steps).predict(condition), condition, atol=1e-5, rtol=0)


def test_the_true_velocity_leads_from_noise_to_the_target() -> None:
    batch = Batch(*torch.rand(2, 4, 3, 8, 8), draws=Draws(0, (0, 1, 2, 3)))
    noise = batch.draws.normal("noise", batch.target)
    torch.testing.assert_close(flow().forward(batch)["true"], batch.target - noise)


def test_the_average_follows_the_generator_at_first_fast_and_then_slowly() -> None:
    method = flow(decay=0.9)
    moved = []
    for step in (0, 10_000):
        method.begin(Position(step, 20_000))
        method.networks["average"].load_state_dict(Straight().state_dict())
        with torch.no_grad():
            method.updated(("generator",))
        moved.append(method.networks["average"].weight.item())
        assert method.networks["average"].seen.item() == 1
    assert moved == pytest.approx([0.9, 0.1])
