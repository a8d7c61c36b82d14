"""Phases as data: which updates a step makes, with which batches, and that a resume repeats them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from tests.core.engine.test_exactness import assert_same
from tests.core.toys import ToyMethod, batch, experiment, networks, pictures, run
from tests.optimizers import adam

from genlab import Batch, Phase, PluginError, Position, Term, TrainingError, Weight
from genlab.engine.phases import batches_before, step_batches
from genlab.engine.step import train_step


class Scheduled(ToyMethod):
    """Three critic updates with batches of their own every second step; notes what it is called with."""

    def __init__(self, networks, losses):
        super().__init__(networks, losses)
        self.heard: list[object] = []

    def phases(self) -> Sequence[Phase]:
        critic, painter = super().phases()
        return [
            Phase("critic", critic.updates, critic.terms, every=2, repeats=3, fresh=True),
            Phase("painter", painter.updates, painter.terms, repeats=2),
        ]

    def begin(self, position: Position) -> None:
        self.heard.append(position.step)

    def critic_terms(self, batch, shared):
        self.heard.append(batch.draws.samples)
        return super().critic_terms(batch, shared)

    def painter_terms(self, batch, shared):
        self.heard.append((*batch.draws.samples, batch.draws.repeat))
        return super().painter_terms(batch, shared)

    def updated(self, roles) -> None:
        assert not torch.is_grad_enabled()
        self.heard.append(roles[0])


def test_a_step_has_the_updates_that_its_phases_say(tmp_path: Path):
    made = experiment(method=Scheduled)
    run(made, tmp_path / "run", stop_at=3)
    critic = [[(at,), "discriminator"] for at in range(9)]
    painter = [[(at, 0), "generator", (at, 1), "generator"] for at in range(9)]
    steps = [
        [0, *painter[0]],
        [1, *critic[1], *critic[2], *critic[3], *painter[1]],
        [2, *painter[4]],
    ]
    assert made.method.heard == [heard for step in steps for heard in step]


@pytest.mark.parametrize("pause", [1, 2, 5])
def test_a_resume_goes_on_with_the_next_batch_of_all(tmp_path: Path, pause: int):
    run(experiment(method=Scheduled), tmp_path / "whole")
    run(experiment(method=Scheduled), tmp_path / "parts", stop_at=pause)
    run(experiment(method=Scheduled), tmp_path / "parts", resume=True)
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_all_batches_that_a_step_takes_are_checked_beforehand():
    made = experiment(method=Scheduled, pairs=pictures(50, 12, 12))
    training = made.reads(6)[0]
    assert made.batches_before(6) == 12 and made.batches_before(8) == 16
    assert len(training.conditions) == 4


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_batches_are_counted_as_they_are_taken(every: int):
    phases = [Phase("a", ("x",), lambda *_: {}, every=every, repeats=4, fresh=True), Phase("b", ("y",), lambda *_: {})]
    taken = 0
    for step in range(20):
        assert batches_before(phases, step) == taken
        taken += step_batches(phases, Position(step, 20))


def test_a_repeated_update_sees_the_network_as_the_one_before_left_it():
    class Twice(ToyMethod):
        only = ("generator",)

        def phases(self) -> Sequence[Phase]:
            (painter,) = super().phases()
            return [Phase("painter", painter.updates, painter.terms, repeats=2)]

    def trained(method: type[ToyMethod], steps: int) -> torch.Tensor:
        made = networks()
        made["generator"].eval()
        alone = method(made, {})
        alone.only = ("generator",)
        optimizers = adam(made, learning_rate=0.01)
        for _ in range(steps):
            train_step(alone, [batch()], optimizers, with_norms=False)
        return made["generator"].outer.weight

    assert trained(Twice, 1).equal(trained(ToyMethod, 2))


@pytest.mark.parametrize("wrong", [{"every": 0}, {"repeats": 0}, {"repeats": -1}])
def test_numbers_below_one_are_refused(wrong: dict[str, int]):
    ((name, value),) = wrong.items()
    with pytest.raises(PluginError, match=f'"a" has {name}={value}; expected an integer of at least 1'):
        Phase("a", ("x",), lambda *_: {}, **wrong)


def test_a_weight_that_is_no_number_is_named():
    class Unweighted(ToyMethod):
        def critic_terms(self, batch: Batch, shared):
            return {name: Term(term.value, Weight(1.0)) for name, term in super().critic_terms(batch, shared).items()}

    made = networks()
    optimizers = adam(made)
    with pytest.raises(TrainingError, match="the weight of critic/real: expected a number, got a Weight") as caught:
        train_step(Unweighted(made, {}), [batch()], optimizers, with_norms=False)
    assert "weight.at(batch.position)" in str(caught.value.hint)
