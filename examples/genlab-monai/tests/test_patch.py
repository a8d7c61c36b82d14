"""MONAI's PatchGAN as a discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from genlab.testing import DiscriminatorSuite
from monai.networks import nets
from torch import Tensor

from genlab_monai.patch import Patch

SHAPES: list[dict[str, Any]] = [
    {},
    {"num_layers_d": 1},
    {"num_layers_d": 4},
    {"kernel_size": 3, "last_conv_kernel_size": 1},
    {"kernel_size": 5, "last_conv_kernel_size": 3},
    {"kernel_size": 2},
    {"last_conv_kernel_size": 1},
]


class TestPatch(DiscriminatorSuite):
    component = Patch
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4}


class TestSmallPatch(DiscriminatorSuite):
    component = Patch
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "num_layers_d": 1, "norm": "instance", "dropout": 0.2}


class TestUnconditionalPatch(DiscriminatorSuite):
    component = Patch
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "num_layers_d": 2, "conditional": False}


def small(**settings: Any) -> Patch:
    given: dict[str, Any] = {"condition_channels": 3, "image_channels": 3, "channels": 2, **settings}
    return Patch(**given)


def scores(network: Patch, size: int) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    condition, image = (torch.rand(1, 3, size, size, generator=rng) * 2 - 1 for _ in range(2))
    return network(condition, image).maps[0]


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_its_layers_have_the_receptive_fields_of_pix2pix(layers: int, field: int) -> None:
    assert small(num_layers_d=layers).receptive_field == field


@pytest.mark.parametrize("settings", SHAPES)
def test_one_score_sees_a_square_as_large_as_stated(settings: dict[str, Any]) -> None:
    """In evaluation a batch norm does not look at the image, so that a score depends on what convolutions see alone."""
    network = small(channels=1, **settings).double().eval()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    size = 2 * network.receptive_field + 64
    image = torch.ones(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    (given,) = network(torch.zeros_like(image), image).maps
    middle = given.shape[-1] // 2
    given[0, 0, middle, middle].backward()
    assert image.grad is not None
    seen = image.grad.abs().sum(dim=(0, 1)) > 0
    for direction in (0, 1):
        places = seen.any(dim=direction).nonzero()
        assert places.max() - places.min() + 1 == network.receptive_field


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("settings", SHAPES)
def test_it_trains_at_its_least_size_and_at_no_less(settings: dict[str, Any], norm: str) -> None:
    network = small(norm=norm, **settings)
    assert scores(network, network.min_size).numel() > 0
    with pytest.raises((RuntimeError, ValueError)):
        scores(network, network.min_size - 1)


@pytest.mark.parametrize(("size", "side"), [(256, 30), (70, 6), (24, 1)])
def test_it_gives_a_score_for_each_patch(size: int, side: int) -> None:
    assert scores(small(), size).shape == (1, 1, side, side)


def test_it_gives_what_the_network_of_monai_gives() -> None:
    network = small().eval()
    theirs = nets.PatchDiscriminator(spatial_dims=2, channels=2, in_channels=6).eval()
    theirs.load_state_dict(network.net.state_dict())
    condition, image = torch.rand(2, 1, 3, 64, 64)
    *features, last = theirs(torch.cat([condition, image], dim=1))
    scored = network(condition, image)
    assert scored.maps[0].equal(last)
    assert all(map(torch.equal, scored.features, features))


@pytest.mark.parametrize("conditional", [True, False])
def test_it_sees_the_condition_if_it_is_conditional(conditional: bool) -> None:
    network = small(conditional=conditional).eval()
    condition, image = torch.rand(2, 1, 3, 64, 64)
    (one,), (other,) = (network(shown, image).maps for shown in (condition, 1 - condition))
    is_same = one.equal(other)
    assert is_same is not conditional


def test_its_levels_are_its_layers() -> None:
    levels = small(num_layers_d=2).levels()
    assert [level.name for level in levels] == ["layer 1", "layer 2", "layer 3", "layer 4"]
