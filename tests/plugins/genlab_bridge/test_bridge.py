"""The method against its definition, on problems whose answer is known, and through a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.checkpoints import tensor_digests
from torch import Tensor
from typing_extensions import override

import genlab
from genlab import Batch, Draws, Generator, Position, Weight, WeightedLoss
from genlab.testing import ToyLoss
from genlab_bridge.method import Bridge

THREE = {"condition": 3, "target": 3}
SHAPE = (2, 3, 4, 4)

Field = Callable[[Tensor, Tensor, Tensor], Tensor]


class Known(Generator):
    """Knows the mean of the target, by condition, point and share of the bridge."""

    def __init__(self, mean: Field) -> None:
        super().__init__()
        self.inputs = {"time": 1}
        self.mean = mean

    @override
    def forward(self, condition: Tensor, *, time: Tensor) -> Tensor:
        known, point = condition.split([condition.shape[1] - 3, 3], dim=1)
        t = share(time).view(-1, 1, 1, 1)
        return self.mean(known, point, t)


def bridge(mean: Field, channels: Any = THREE, **settings: Any) -> Bridge:
    return Bridge({"generator": Known(mean)}, {"toy": WeightedLoss(ToyLoss(), Weight(1.0))}, channels, **settings)


def share(time: Tensor) -> Tensor:
    """Time on the bridge, from that which the generator is given."""
    return (1 - (math.pi * time).cos()) / 2


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape or SHAPE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def samples(method: Bridge, condition: Tensor, seed: int = 0) -> Tensor:
    with torch.random.fork_rng([]), torch.no_grad():
        torch.manual_seed(seed)
        return method.predict(condition)


def test_the_generator_learns_the_end_of_a_bridge() -> None:
    """What it is shown is a point of the bridge, and one that knows the end has no loss."""
    seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def mean(*given: Tensor) -> Tensor:
        seen.append(given)
        return target

    condition, target = drawn(0), drawn(1)
    batch = Batch(condition, target, Position(3, 9), Draws(7, (6, 7)))
    method = bridge(mean, noise=0.5)
    (phase,) = method.phases()
    term = phase.terms(batch, method.forward(batch))["toy"]
    torch.testing.assert_close(term.value, torch.zeros(()), atol=1e-5, rtol=0)
    ((known, point, t),) = seen
    torch.testing.assert_close(t.flatten(), share(batch.draws.uniform("time", target)))
    z = batch.draws.normal("bridge", target)
    torch.testing.assert_close(point, (1 - t) * condition + t * target + 0.5 * (t * (1 - t)).sqrt() * z)
    torch.testing.assert_close(known, condition)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_a_target_that_the_condition_decides_is_met_in_any_number_of_steps(steps: int) -> None:
    found = samples(bridge(lambda condition, point, t: -condition, sampling_steps=steps), drawn(0))
    torch.testing.assert_close(found, -drawn(0))


def test_samples_of_a_normal_distribution_have_its_mean_and_deviation() -> None:
    """The target is N(m, s^2) in every pixel: its mean at a point follows from Bayes' rule."""
    m, s, noise = 0.2, 0.25, 0.5

    def mean(condition: Tensor, point: Tensor, t: Tensor) -> Tensor:
        gain = s**2 * t / (s**2 * t**2 + noise**2 * t * (1 - t)).clamp(min=1e-12)
        return m + gain * (point - (1 - t) * condition - t * m)

    condition = drawn(0, 1, 3, 64, 64)
    found = samples(bridge(mean, noise=noise, sampling_steps=100), condition)
    error = s / math.sqrt(found.numel())
    assert found.mean().item() == pytest.approx(m, abs=5 * error)
    assert found.std().item() == pytest.approx(s, rel=0.02)
    few = samples(bridge(mean, noise=noise, sampling_steps=10), condition)
    assert few.mean().item() == pytest.approx(m, abs=5 * error)
    assert 0.8 * s < few.std().item() < s


def test_another_seed_gives_another_sample_within_the_range() -> None:
    method = bridge(lambda condition, point, t: 3 * point)
    one, same, other = (samples(method, drawn(0), seed) for seed in (0, 0, 1))
    assert one.equal(same)
    assert not one.equal(other)
    assert one.abs().max() <= 1


def test_sides_may_have_different_numbers_of_channels() -> None:
    """The bridge then starts at the mean of the condition's channels, and the generator sees them all."""
    seen: list[tuple[Tensor, ...]] = []

    def mean(*given: Tensor) -> Tensor:
        seen.append(given)
        return given[1]

    condition = drawn(0, 2, 5, 4, 4)
    assert samples(bridge(mean, {"condition": 5, "target": 3}), condition).shape == SHAPE
    known, point, _ = seen[0]
    assert known.equal(condition)
    torch.testing.assert_close(point, condition.mean(1, keepdim=True).expand(SHAPE))


RECIPE = [
    "method.name=bridge",
    "method.sampling_steps=2",
    "generator.time=true",
    "losses={adversarial=false, l1=false, l2={}}",
    "train.batch_size=2",
]


def test_a_run_resumes_exactly_and_predicts(tiny: Path, tmp_path: Path) -> None:
    genlab.train(tiny, overrides=RECIPE, out=tmp_path / "whole")
    genlab.train(tiny, overrides=RECIPE, out=tmp_path / "parts", stop_at=3)
    genlab.resume(tmp_path / "parts")
    assert tensor_digests(tmp_path / "parts") == tensor_digests(tmp_path / "whole")
    assert genlab.open_run(tmp_path / "parts").apply(torch.zeros(1, 3, 40, 24)).shape == (1, 3, 40, 24)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("losses.adversarial={}", "the loss `adversarial` needs a discriminator"),
        ("losses.l2.weight=0", "at least one loss needs a weight above 0"),
        ("generator.time=false", "time = true"),
    ],
)
def test_what_does_not_go_with_it_is_named(tiny: Path, override: str, told: str) -> None:
    with pytest.raises(genlab.RecipeError) as caught:
        genlab.check(tiny, overrides=[*RECIPE, override])
    assert told in str(caught.value)
