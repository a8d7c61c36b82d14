"""The discriminator of several scales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from genlab.testing import DiscriminatorSuite

from genlab_multiscale.pyramid import Pyramid


class TestPyramid(DiscriminatorSuite):
    component = Pyramid
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4}


class TestThreeScales(DiscriminatorSuite):
    component = Pyramid
    settings: ClassVar[Mapping[str, Any]] = {"scales": 3, "halvings": 1, "channels": 4}


def test_each_scale_has_a_map_of_half_the_size() -> None:
    condition, image = torch.zeros(2, 1, 32, 48), torch.zeros(2, 3, 32, 48)
    scored = Pyramid(1, 3, scales=3, halvings=2, channels=4)(condition, image)
    assert [tuple(scores.shape) for scores in scored.maps] == [(2, 1, 8, 12), (2, 1, 4, 6), (2, 1, 2, 3)]
    assert [tuple(features.shape[1:]) for features in scored.features[:4]] == [
        (4, 16, 24),
        (8, 8, 12),
        (4, 8, 12),
        (8, 4, 6),
    ]


@pytest.mark.parametrize(("scales", "field"), [(1, 18), (2, 36), (3, 72)])
def test_each_scale_sees_twice_as_far(scales: int, field: int) -> None:
    assert Pyramid(3, 3, scales=scales, halvings=2).receptive_field == field
