"""Conformance tests that generators and discriminators share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar
from unittest import SkipTest

from typing_extensions import override

from genlab.errors import RecipeError
from genlab.interfaces.network import Network
from genlab.testing.network import NetworkSuite
from genlab.testing.suite import require


class TwoSidedSuite(NetworkSuite):
    """The part that generators and discriminators share: the framework gives channels of two sides."""

    sides: ClassVar[tuple[str, str]]
    channels: ClassVar[Sequence[tuple[int, int]]] = ((3, 3), (1, 3), (4, 2))
    """Channels to try: of the condition, and of the image."""

    @override
    def supplied(self) -> dict[str, Any]:
        return dict.fromkeys(self.sides, 3)

    def of_channels(self) -> Iterator[tuple[tuple[int, int], Network]]:
        """A network in evaluation mode for each of the channels to try; last, the test is skipped if it refuses any."""
        refused = ""
        for channels in self.channels:
            try:
                network = self.network(**dict(zip(self.sides, channels, strict=True)))
            except (ValueError, RecipeError) as error:
                refused = f"it refuses channels {channels}: {error}"
            else:
                yield channels, network.eval()
        if refused:
            raise SkipTest(refused)

    @override
    def test_gradients_reach_every_parameter(self) -> None:
        """A parameter that no gradient reaches is not trained."""
        has_some = any(parameter.requires_grad for parameter in self.network().parameters())
        require(has_some, "it has no parameters, so there is nothing to train")
        super().test_gradients_reach_every_parameter()
