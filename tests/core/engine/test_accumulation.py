"""Accumulation of gradients: an update over several batches is that over all of their pairs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from tests.core.toys import CPU, Recorder, ToyGenerator, ToyMethod, batch, experiment, networks, pictures
from torch import Tensor
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import SGD

from genlab import Network, Step
from genlab.assemble.experiment import build
from genlab.assemble.read import read_recipe
from genlab.engine import step
from genlab.engine.listener_list import ListenerList
from genlab.engine.precision import Precision, full_precision
from genlab.engine.step import StepSettings, train_step
from genlab.engine.training import Training

SMOOTH = [
    "generator.dropout=0.0",
    "generator.norm=instance",
    "discriminator.norm=instance",
    # A squared difference has no kink, at which rounding decides the sign of a gradient.
    "losses={l1=false, l2={weight=10}}",
    # Updates in proportion to gradients: Adam's own divide rounding errors by their size.
    "optimizer.epsilon=1.0",
    "optimizer.learning_rate=0.02",
]
CYCLEGAN = [
    "method={name='cyclegan', identity=0.5, pool_size=3}",
    "losses={l2=false, adversarial={objective='lsgan'}, cycle={name='l2', weight=10}}",
]
METHODS = {
    "pix2pix": [],
    "repeated and rare updates": ["method.discriminator_steps=3", "losses.r1.every=2"],
    "cyclegan": CYCLEGAN,
    "bridge": ["method={name='bridge'}", "generator.time=true", "losses.adversarial=false"],
}


class Steps:
    """Three steps of the tiny recipe: what they made of all that changes, and their losses."""

    def __init__(self, tiny: Path, pairs: Path, *assignments: str) -> None:
        data = f"data={{name='side_by_side', root='{pairs}'}}"
        checked = read_recipe(tiny, overrides=[data, *SMOOTH, *assignments])
        experiment, heard = build(checked.recipe, checked.document).experiment, Recorder()
        training = Training(experiment, None, pairs, ListenerList([("heard", heard)]), lambda: False)
        with training.ready() as batches:
            for _ in range(3):
                training.advance(training.next_batches(batches))
        self.losses = [event.values.losses for event in heard.of(Step)]
        method = experiment.method
        self.state = {
            f"{role}/{name}": value for role, net in method.networks.items() for name, value in net.state_dict().items()
        } | dict(method.state())

    def distance(self, other: Steps) -> float:
        """The largest difference of a value, relative to the largest one of its tensor."""
        assert self.state.keys() == other.state.keys()
        differences = [
            (value - other.state[name]).abs().max() / value.abs().max().clamp_min(0.1)
            for name, value in self.state.items()
        ]
        return max(map(float, differences))


@pytest.fixture
def pairs(make_pairs: Callable[..., Path]) -> Path:
    return make_pairs(count=5)


@pytest.mark.parametrize("method", METHODS)
def test_two_batches_are_one_of_twice_the_size(tiny: Path, pairs: Path, method: str) -> None:
    two = Steps(tiny, pairs, *METHODS[method], "train.batch_size=2", "train.accumulate=2")
    one = Steps(tiny, pairs, *METHODS[method], "train.batch_size=4")
    assert two.distance(one) < 1e-4
    assert two.losses == [pytest.approx(step, rel=1e-4) for step in one.losses]
    assert len(one.losses) == 3


def test_the_comparison_can_fail(tiny: Path, pairs: Path) -> None:
    one = Steps(tiny, pairs, "train.batch_size=4")
    assert Steps(tiny, pairs, "train.batch_size=2").distance(one) > 1e-3


@pytest.mark.parametrize("method", [[], CYCLEGAN], ids=["pix2pix", "cyclegan"])
def test_what_is_computed_again_is_what_it_was(
    tiny: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch, method: list[str]
) -> None:
    """Dropout, batch norm and a pool of predictions give what they give if nothing is forgotten meanwhile."""
    values = [*method, "generator.norm=batch", "generator.dropout=0.5", "train.accumulate=2", "train.batch_size=2"]
    again = Steps(tiny, pairs, *values)
    monkeypatch.setattr(step, "recomputed_forward", lambda method, batch: method.forward(batch))
    kept = Steps(tiny, pairs, *values)
    assert [name for name, value in again.state.items() if not value.equal(kept.state[name])] == []
    assert again.losses == kept.losses


class Normed(ToyGenerator):
    """Estimates the norm of a weight anew in every forward pass."""

    def __init__(self) -> None:
        super().__init__()
        spectral_norm(self.outer)


def gradients(accumulate: int, precision: Precision | None = None, **made: Network) -> dict[str, Tensor]:
    """Gradients of a step over some batches, without an update."""
    all_made = {**networks(), **made}
    torch.manual_seed(0)
    given = [batch(seed=seed) for seed in range(accumulate)]
    optimizers = {role: SGD(network.parameters(), lr=0.0) for role, network in all_made.items()}
    settings = StepSettings(precision or full_precision(), accumulate=accumulate)
    train_step(ToyMethod(all_made, {}), given, optimizers, True, settings)
    return {
        f"{role}/{name}": weight.grad
        for role, network in all_made.items()
        for name, weight in network.named_parameters()
        if weight.grad is not None
    }


def test_a_norm_that_is_estimated_pass_by_pass_is_that_of_its_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    generator = Normed()
    again = gradients(3, generator=deepcopy(generator))
    monkeypatch.setattr(step, "recomputed_forward", lambda method, batch: method.forward(batch))
    kept = gradients(3, generator=generator)
    assert [name for name in kept if not again[name].equal(kept[name])] == []


class Watched(ToyGenerator):
    """Counts the intermediate results that are in memory when a forward pass begins."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[weakref.ref[Tensor]] = []
        self.most = 0
        self.norm.register_forward_hook(lambda _module, _given, output: self.made.append(weakref.ref(output)))

    def forward(self, condition: Tensor, **inputs: Tensor) -> Tensor:
        self.most = max(self.most, sum(made() is not None for made in self.made))
        return super().forward(condition, **inputs)


class OnePhase(ToyMethod):
    only = ("generator",)


@pytest.mark.parametrize(("method", "passes"), [(ToyMethod, 2), (OnePhase, 1)])
def test_one_batch_is_in_memory_at_a_time(method: type[ToyMethod], passes: int) -> None:
    made = {**networks(), "generator": Watched()}
    optimizers = {role: SGD(network.parameters(), lr=0.1) for role, network in made.items()}
    given = [batch(seed=seed) for seed in range(3)]
    train_step(method(made, {}), given, optimizers, False, StepSettings(accumulate=3))
    assert made["generator"].most == 0
    assert len(made["generator"].made) == 3 * passes


def test_float16_scales_the_gradients_of_all_batches() -> None:
    precision = Precision("float16", CPU)
    precision.load_state({"scale": 256.0, "_growth_tracker": 0})
    scaled, exact = gradients(3, precision), gradients(3)
    for name, gradient in exact.items():
        torch.testing.assert_close(scaled[name], gradient, rtol=0.05, atol=0.01)


def test_a_batch_that_overflows_leaves_out_the_update_of_all() -> None:
    made, precision = networks(), Precision("float16", CPU)
    before = made["discriminator"].layer.weight.clone()
    precision.load_state({"scale": 256.0, "_growth_tracker": 0})
    overflowing = batch()._replace(target=torch.full((2, 3, 8, 8), 1e30))
    optimizers = {role: SGD(network.parameters(), lr=0.1) for role, network in made.items()}
    train_step(ToyMethod(made, {}), [batch(), overflowing], optimizers, False, StepSettings(precision, accumulate=2))
    assert precision.state()["scale"] == 128.0
    assert made["discriminator"].layer.weight.equal(before)


def test_listeners_and_checks_of_the_data_count_all_batches(tmp_path: Path) -> None:
    train = {"steps": 3, "accumulate": 2, "batch_size": 2}
    made = experiment(pairs=pictures(50, 12, 12), train=train)
    assert made.batches_before(3) == 6
    assert len(made.reads(0)[0].conditions) == 12
    training = Training(made, None, tmp_path, ListenerList([]), lambda: False)
    with training.ready() as batches:
        samples = [given.draws.samples for given in training.next_batches(batches)]
    assert samples == [(0, 1), (2, 3)]
