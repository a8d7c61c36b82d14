"""It does all that genlab asks of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from genlab.testing import NetworkSuite

from genlab_cut.heads import PatchHeads


class TestPatchHeads(NetworkSuite):
    component = PatchHeads
    settings: ClassVar[Mapping[str, Any]] = {"channels": 8}
    in_channels: ClassVar[Sequence[int]] = (3, 5)


def test_each_place_has_a_vector_of_length_1_for_each_feature() -> None:
    vectors = PatchHeads([3, 5], channels=8)(torch.randn(2, 3, 16, 1), torch.randn(2, 5, 16, 1))
    assert vectors.shape == (2, 8, 16, 2)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2, 16, 2))
