"""Tiles: an identity gives the image back, and seams of tiles that differ are ramps."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.engine.inference import predict_any_size
from genlab.engine.tiles import Tiles, predict_tiles


def noise(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


def unchanged(image: Tensor) -> Tensor:
    return image


@pytest.mark.parametrize("overlap", [0, 4, 8, 12])
@pytest.mark.parametrize("size", [(40, 40), (16, 16), (8, 100), (20, 36), (4, 4)])
def test_an_identity_gives_the_image_back(size: tuple[int, int], overlap: int) -> None:
    image = noise(*size, count=2)
    torch.testing.assert_close(predict_tiles(unchanged, image, Tiles(16, overlap)), image, rtol=0, atol=3e-7)


@pytest.mark.parametrize("size", [(37, 61), (1, 1), (17, 15), (65, 3)])
def test_sizes_that_are_no_multiples_are_padded_as_without_tiles(size: tuple[int, int]) -> None:
    image = noise(*size)
    found = predict_any_size(lambda padded: predict_tiles(unchanged, padded, Tiles(16, 8)), image, 4)
    torch.testing.assert_close(found, image, rtol=0, atol=3e-7)


@pytest.mark.parametrize(("height", "width"), [(16, 12), (12, 16), (16, 16), (4, 8)])
def test_an_image_within_a_tile_is_predicted_whole_and_exactly(height: int, width: int) -> None:
    image, seen = noise(height, width), []

    def predict(given: Tensor) -> Tensor:
        seen.append(given.shape[2:])
        return given.sin()

    assert torch.equal(predict_tiles(predict, image, Tiles(16, 8)), image.sin())
    assert seen == [(height, width)]


def test_without_overlap_each_value_is_that_of_its_tile() -> None:
    image = noise(32, 48)
    assert torch.equal(predict_tiles(unchanged, image, Tiles(16, 0)), image)


@pytest.mark.parametrize("factor", [Fraction(2), Fraction(3), Fraction(1, 2)])
def test_predictions_may_have_another_scale(factor: Fraction) -> None:
    image = noise(44, 52)

    def predict(given: Tensor) -> Tensor:
        size = [int(side * factor) for side in given.shape[2:]]
        return F.interpolate(given, size) if factor > 1 else F.avg_pool2d(given, factor.denominator)

    found = predict_tiles(predict, image, Tiles(16, 8), factor)
    torch.testing.assert_close(found, predict(image), rtol=0, atol=3e-7)


def test_tiles_begin_on_the_multiples_of_their_size_and_overlap() -> None:
    """A strided layer that takes every fourth pixel sees the same ones as in the whole image."""
    image, places = torch.arange(52.0 * 36).view(1, 1, 52, 36), []

    def predict(given: Tensor) -> Tensor:
        places.append(divmod(int(given[0, 0, 0, 0]), 36))
        return F.interpolate(given[..., ::4, ::4], scale_factor=4)

    found = predict_tiles(predict, image, Tiles(16, 4))
    assert {top for top, _ in places} == {0, 12, 24, 36}
    assert {left for _, left in places} == {0, 12, 20}
    torch.testing.assert_close(found, predict(image))


def test_a_seam_is_a_linear_ramp_between_margins_of_no_weight() -> None:
    values = iter([0.0, 1.0])
    found = predict_tiles(lambda given: torch.full_like(given, next(values)), noise(16, 24), Tiles(16, 8))[0, 0]
    ramp = torch.tensor([0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1])
    torch.testing.assert_close(found, torch.cat([torch.zeros(8), ramp, torch.ones(8)]).expand(16, 24))


@pytest.mark.parametrize("overlap", [8, 12])
def test_a_network_that_sees_no_further_than_the_margin_gives_what_it_gives_for_the_whole(overlap: int) -> None:
    """Also where tiles overlap by more than half, so that pixels of the image's edge are within the next tile."""
    image = noise(40, 36)

    def predict(given: Tensor) -> Tensor:
        return F.avg_pool2d(given, 5, stride=1, padding=2)

    torch.testing.assert_close(predict_tiles(predict, image, Tiles(16, overlap)), predict(image), rtol=0, atol=3e-7)
