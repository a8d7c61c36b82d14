"""MONAI's SegResNet as a generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from genlab.testing import GeneratorSuite
from monai.networks import nets
from torch import Tensor, nn

from genlab_monai.segresnet import SegResNet

SMALL: dict[str, Any] = {"init_filters": 4, "blocks_down": [1, 1, 2], "blocks_up": [1, 1], "groups": 4}


class TestSegResNet(GeneratorSuite):
    component = SegResNet
    settings: ClassVar[Mapping[str, Any]] = SMALL


class TestSegResNetWithDropout(GeneratorSuite):
    component = SegResNet
    settings: ClassVar[Mapping[str, Any]] = {**SMALL, "dropout": 0.3, "upsample_mode": "deconv"}


class TestSegResNetWithShuffledPixels(GeneratorSuite):
    component = SegResNet
    settings: ClassVar[Mapping[str, Any]] = {**SMALL, "upsample_mode": "pixelshuffle"}


def small(**settings: Any) -> SegResNet:
    return SegResNet(in_channels=3, out_channels=2, **{**SMALL, **settings})


def image(size: int) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_it_computes_what_the_network_of_monai_computes() -> None:
    network = small()
    theirs = nets.SegResNet(
        spatial_dims=2,
        init_filters=4,
        in_channels=3,
        out_channels=2,
        norm=("GROUP", {"num_groups": 4}),
        blocks_down=(1, 1, 2),
        blocks_up=(1, 1),
    )
    theirs.load_state_dict(network.net.state_dict())
    assert network(image(16)).equal(theirs(image(16)))


@pytest.mark.parametrize("mode", ["nontrainable", "deconv", "pixelshuffle"])
def test_its_least_size_is_its_size_multiple(mode: str) -> None:
    network = small(upsample_mode=mode).train()
    assert network.size_multiple == 4
    assert network(image(4)).shape == (1, 2, 4, 4)


def test_half_the_size_multiple_does_not_do() -> None:
    network = small()
    with pytest.raises(RuntimeError):
        network(image(6))


def test_each_weight_belongs_to_a_level() -> None:
    network = small()
    names = [f"{level.name} {level.skip}".strip() for level in network.levels()]
    ups = ["double to 2", "up 2 + down 2", "double to 1", "up 1 + down 1"]
    assert names == ["first", "down 1", "down 2", "down 3", *ups, "last"]
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


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"blocks_up": [1]}, "`blocks_up` has 1 values, and needs one fewer than `blocks_down`, 2"),
        ({"init_filters": 6}, "`init_filters` is 6, and must be a multiple of `groups`, 4"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        small(**settings)
