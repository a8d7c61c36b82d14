"""Time, operations and memory of a piece of work."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import torch
from torch.nn.functional import conv2d

from genlab.engine.step_kinds import mean_over_cycle, step_kinds
from genlab.engine.work import flops_of, peak_bytes_of, seconds_of

DEVICES = ("cpu", "meta")


def test_seconds_are_those_of_the_work() -> None:
    assert 0.02 <= seconds_of(lambda: time.sleep(0.02), torch.device("cpu")) < 2


@pytest.mark.parametrize("device", DEVICES)
def test_operations_are_those_of_products_and_convolutions(device: str) -> None:
    a, image, weight = (torch.rand(*shape, device=device) for shape in ((8, 16), (2, 3, 10, 10), (5, 3, 3, 3)))
    assert flops_of(lambda: a @ a.t()) == 2 * 8 * 16 * 8
    assert flops_of(lambda: conv2d(image, weight)) == 2 * (2 * 8 * 8) * 5 * (3 * 3 * 3)
    assert flops_of(a.exp) == 0


@pytest.mark.parametrize("device", DEVICES)
def test_operations_of_gradients_of_gradients_are_counted(device: str) -> None:
    """As a gradient penalty has them: of y = xw the product, two for the gradient, and those of its own gradient."""
    x, w = (torch.rand(4, 4, device=device, requires_grad=True) for _ in range(2))

    def penalize() -> None:
        (gradient,) = torch.autograd.grad((x @ w).square().sum(), x, create_graph=True)
        gradient.square().sum().backward(inputs=[w])

    product = 2 * 4 * 4 * 4
    assert flops_of(penalize) == 5 * product


@pytest.mark.parametrize("device", DEVICES)
def test_the_most_that_tensors_take_at_a_time(device: str) -> None:
    held = torch.zeros(100, device=device)

    def work() -> None:
        for _ in range(3):
            one = held + 1  # 400 bytes more
            two = torch.cat([one, one])  # 800 bytes more
            one.add_(1)
            one.reshape(10, 10)
            del one, two

    assert peak_bytes_of(work, [held, held[:50]]) == 400 + 400 + 800


def test_steps_of_a_cycle_are_of_kinds_by_what_is_due() -> None:
    assert step_kinds([1]) == Counter({1: 1})
    assert step_kinds([1, 2, 3]) == Counter({1: 2, 2: 2, 3: 1, 6: 1})
    assert mean_over_cycle(step_kinds([1, 4]), lambda number: 10.0 if number % 4 == 0 else 2.0) == 4
    assert step_kinds([1, 9973, 10007]).total() == 10_000
