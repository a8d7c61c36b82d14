"""It does all that genlab asks of a method, and patches are told from one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from genlab import Batch, Generator, Weight, WeightedLoss
from genlab.testing import MethodSuite, ToyLoss

from genlab_cut.heads import PatchHeads
from genlab_cut.method import CUT

SIDES = {"condition": 3, "target": 3}


class TestCUT(MethodSuite):
    component = CUT
    settings: ClassVar[Mapping[str, Any]] = {"patches": 16}


class Pixels(Generator):
    """Its features are the pixels themselves."""

    feature_channels = (3,)

    def forward(self, condition):
        return condition

    def features(self, *images):
        return images


def patches(prediction, patches=16):
    """What the patches of a prediction cost, whose condition are random numbers."""
    condition = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    networks = {"generator": Pixels(), "heads": PatchHeads([3], channels=16)}
    (phase,) = CUT(networks, {}, SIDES, patches=patches).phases()
    batch = Batch(condition, condition)
    return phase.terms(batch, {"prediction": prediction(condition)})["patches"].value.item()


def test_a_prediction_with_the_patches_of_its_condition_costs_least():
    same = patches(lambda condition: condition)
    assert same < patches(lambda condition: condition.roll(1, dims=3))
    assert same < patches(lambda condition: condition.roll(1, dims=0))


def test_a_prediction_without_a_trace_of_its_condition_costs_as_much_as_a_guess():
    """A single color is as like to one patch as to the next on average."""
    assert patches(torch.zeros_like) > torch.tensor(16.0).log()


def test_a_loss_compares_a_target_with_its_translation():
    networks = {"generator": Pixels(), "heads": PatchHeads([3], channels=8)}
    method = CUT(networks, {"identity": WeightedLoss(ToyLoss(), Weight(5.0))}, SIDES)
    condition, target = torch.rand(2, 1, 3, 8, 8)
    (phase,) = method.phases()
    batch = Batch(condition, target)
    term = phase.terms(batch, method.forward(batch))["identity"]
    assert (term.value.item(), term.weight) == ((method.predict(target) - target).abs().mean().item(), 5.0)


def test_sides_of_other_channels_have_no_identity():
    losses = {"identity": WeightedLoss(ToyLoss(), Weight(1.0))}
    with pytest.raises(ValueError, match="sides of as many channels"):
        CUT({}, losses, {"condition": 1, "target": 3})
    assert CUT({}, {}, {"condition": 1, "target": 3}).identity == {}
