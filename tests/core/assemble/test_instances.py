"""Networks that were constructed, held to what their interfaces ask."""

from __future__ import annotations

import pytest
from torch import nn

from genlab import Discriminator, Network, PluginError
from genlab.assemble.instances import check_network
from genlab.interfaces.kinds import KINDS
from genlab.registry.components import Component
from genlab.registry.discovery.plugin import Plugin
from genlab.registry.registry import Registration


class OfBefore(Discriminator):
    """Says its least size under the name that it had."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(6, 1, 3)
        self.receptive_field, self.least_size = 3, 3

    def forward(self, condition, image): ...


class WithFeatures(Network):
    """Calls its layers as torchvision does."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3))


def test_a_module_that_the_interface_hides_is_told() -> None:
    component = Component(Registration(KINDS["network"], "mine", WithFeatures), Plugin("mine", "mine.py"), "mine")
    with pytest.raises(PluginError, match=r"its module `features` has the name of an attribute .*; rename it"):
        check_network(WithFeatures(), component)


def test_an_old_name_that_a_constructor_sets_is_told_with_the_new_one() -> None:
    registration = Registration(KINDS["discriminator"], "old", OfBefore)
    component = Component(registration, Plugin("mine", "mine.py"), "old")
    with pytest.raises(PluginError, match="its `least_size` is called `min_size` now"):
        check_network(OfBefore(), component)
