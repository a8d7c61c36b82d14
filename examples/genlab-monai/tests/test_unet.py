"""MONAI's U-Net as a generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from genlab.testing import GeneratorSuite
from monai.networks import nets
from torch import Tensor, nn

from genlab_monai.unet import UNet

SMALL: dict[str, Any] = {"channels": [4, 8, 12], "strides": [2, 2]}


class TestUNet(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = SMALL


class TestPlainUNet(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {**SMALL, "num_res_units": 0, "norm": "batch", "act": "relu"}


class TestUNetWithDropout(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {**SMALL, "strides": [1, 3], "dropout": 0.2}


def small(**settings: Any) -> UNet:
    return UNet(in_channels=3, out_channels=2, **{**SMALL, **settings})


def image(size: int) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("units", [0, 1, 2])
def test_it_computes_what_the_network_of_monai_computes(units: int) -> None:
    network = small(num_res_units=units)
    theirs = nets.UNet(
        spatial_dims=2, in_channels=3, out_channels=2, channels=[4, 8, 12], strides=[2, 2], num_res_units=units
    )
    theirs.load_state_dict(network.net.state_dict())
    assert network(image(16)).equal(theirs(image(16)))


def test_its_first_weights_are_those_of_monai() -> None:
    torch.manual_seed(7)
    ours = small().net.state_dict()
    torch.manual_seed(7)
    theirs = nets.UNet(
        spatial_dims=2, in_channels=3, out_channels=2, channels=[4, 8, 12], strides=[2, 2], num_res_units=2
    ).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours)


@pytest.mark.parametrize(("strides", "multiple"), [([2, 2], 8), ([1, 1], 2), ([2, 3], 12), ([4, 2], 16)])
def test_the_size_multiple_follows_from_the_strides(strides: list[int], multiple: int) -> None:
    network = small(strides=strides)
    assert network.size_multiple == multiple
    assert network(image(multiple)).shape == (1, 2, multiple, multiple)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_half_the_size_multiple_leaves_a_single_pixel_to_a_norm(norm: str) -> None:
    network = small(norm=norm)
    with pytest.raises(ValueError, match="Expected more than 1"):
        network(image(network.size_multiple // 2))


def test_each_weight_belongs_to_a_level() -> None:
    network = small()
    names = [f"{level.name} {level.skip}".strip() for level in network.levels()]
    assert names == ["down 1", "down 2", "bottom", "up 2 + down 2", "up 1 + down 1"]
    in_levels = [parameter for level in network.levels() for parameter in level.module.parameters()]
    assert {id(parameter) for parameter in in_levels} == {id(parameter) for parameter in network.parameters()}


def zeros(_module: nn.Module, _given: object, output: Tensor) -> Tensor:
    """A hook that puts zeros in the place of what a module gives."""
    return torch.zeros_like(output)


def test_what_a_skip_carries_can_be_replaced() -> None:
    network = small()
    assert [skip.level for skip in network.skips()] == [1, 2]
    whole = network(image(16))
    for skip in network.skips():
        handle = skip.module.register_forward_hook(zeros)
        assert not network(image(16)).equal(whole)
        handle.remove()
    assert network(image(16)).equal(whole)


def test_strides_that_do_not_fit_the_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="`strides` has 3 values, and needs one fewer than the 3 of `channels`"):
        small(strides=[2, 2, 2])
