"""Position in a training, weights that follow it, and random numbers by sample."""

import pytest
import torch

from genlab import Draws, Position, Weight

LIKE = torch.zeros(4, 3, 2, 2)


def test_draws_of_a_batch_are_those_of_its_samples_wherever_they_are():
    whole = Draws(7, (8, 9, 10, 11)).normal("noise", LIKE)
    halves = [Draws(7, samples).normal("noise", LIKE[:2]) for samples in ((8, 9), (10, 11))]
    assert whole.equal(torch.cat(halves))
    assert whole.shape == LIKE.shape
    times = Draws(7, (8, 9, 10, 11)).uniform("time", LIKE)
    assert times.shape == (4,) and bool(((times >= 0) & (times < 1)).all())


@pytest.mark.parametrize("other", [Draws(8, (0, 1, 2, 3)), Draws(7, (4, 5, 6, 7)), Draws(7, (0, 1, 2, 3)).repeated(1)])
def test_another_seed_place_or_update_draws_others(other):
    draws = Draws(7, (0, 1, 2, 3))
    assert draws.normal("noise", LIKE).equal(draws.normal("noise", LIKE))
    assert not draws.normal("noise", LIKE).equal(other.normal("noise", LIKE))
    assert not draws.normal("noise", LIKE).equal(draws.normal("other", LIKE))


def test_draws_neither_depend_on_other_random_numbers_nor_change_them():
    torch.manual_seed(1)
    first, state = Draws(0, (5,)).normal("noise", LIKE[:1]), torch.get_rng_state()
    torch.manual_seed(2)
    assert Draws(0, (5,)).normal("noise", LIKE[:1]).equal(first)
    torch.manual_seed(1)
    assert torch.get_rng_state().equal(state)


def test_draws_are_standard():
    drawn = Draws(0, (0,)).normal("noise", torch.zeros(1, 1, 200, 200))
    assert drawn.mean().item() == pytest.approx(0, abs=0.02)
    assert drawn.std().item() == pytest.approx(1, abs=0.02)


def test_a_batch_of_another_size_is_refused():
    with pytest.raises(ValueError, match="expected a tensor of 2 samples, got 4"):
        Draws(0, (0, 1)).normal("noise", LIKE)


@pytest.mark.parametrize(("step", "value"), [(0, 2.0), (10, 4.0), (19, 5.8), (20, 6.0), (99, 6.0)])
def test_a_weight_changes_linearly_and_stays(step: int, value: float):
    assert Weight(6.0, start=2.0, over=0.2).at(Position(step, 100)) == pytest.approx(value)
    assert Weight(6.0).at(Position(step, 100)) == 6.0
