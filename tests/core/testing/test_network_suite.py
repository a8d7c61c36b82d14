"""The suite of networks that are neither generators nor discriminators finds what is planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from tests.core.testing.conftest import Planted, failures, require_found, results, unproven
from tests.core.testing.networks import planted_in
from torch import Tensor, nn

from genlab import Network
from genlab.testing import NetworkSuite, ToyNetwork


class NoHelp(ToyNetwork):
    """Does not say what its setting is for."""

    def __init__(self, in_channels: Sequence[int] = (3,), *, depth: int = 1) -> None:
        super().__init__(in_channels)


class Nameless(nn.Conv2d):
    """A layer of PyTorch's, which is no network of genlab's."""


class Wordy(ToyNetwork):
    """Tells what it finds in words."""

    def forward(self, *given: Tensor) -> str:
        return f"an image of {super().forward(*given).mean():.2f}"


PLANTED = [
    *planted_in(ToyNetwork),
    Planted(Nameless, "test_a_recipe_can_name_it", "Network"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `depth` under `Args:`"),
    Planted(Wordy, "test_the_same_seed_gives_the_same_network", "it gives str; expected a tensor, or several"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(NetworkSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(NetworkSuite, PLANTED) == set()


class Several(ToyNetwork):
    """Gives several tensors, by name."""

    def forward(self, *given: Tensor) -> Mapping[str, Tensor]:
        features = super().forward(*given)
        return {"features": features, "mean": features.mean(dim=(1, 2, 3))}


class Teacher(Network):
    """Came trained, takes photos and stays as it is."""

    feature_channels = (4,)

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3, padding=1).requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).relu()

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        return [self.layer(image) for image in images]


@pytest.mark.parametrize("network", [ToyNetwork, Several, Teacher])
def test_a_sound_one_passes(network: type[Network]) -> None:
    assert failures(NetworkSuite, network) == {}


def test_one_that_is_not_trained_is_told() -> None:
    found = results(NetworkSuite, Teacher)["test_gradients_reach_every_parameter"]
    assert (found.outcome, found.why) == ("skipped", "none of its parameters is trained")


class Pair(ToyNetwork):
    """Compares two things of other channels."""

    def forward(self, *given: Tensor) -> Tensor:
        one, other = given
        return super().forward(one, other)


def test_a_network_may_read_several_things() -> None:
    assert failures(NetworkSuite, Pair, in_channels=(2, 5)) == {}


class Head(Network):
    """Reads features of several sizes, as vectors."""

    def __init__(self, in_channels: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(number, 2) for number in in_channels)

    def forward(self, *features: Tensor) -> list[Tensor]:
        return [head(given) for head, given in zip(self.heads, features, strict=True)]

    def levels(self) -> list[Any]:
        return []


def test_an_authors_suite_says_what_a_network_reads() -> None:
    def example(self: NetworkSuite, network: Network, seed: int = 0, count: int = 2) -> tuple[Tensor, ...]:
        rng = torch.Generator().manual_seed(seed)
        return tuple(torch.randn(count, number, generator=rng) for number in self.in_channels)

    assert failures(NetworkSuite, Head, in_channels=(4, 8), example=example) == {}
