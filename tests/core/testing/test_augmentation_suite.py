"""The augmentations' suite finds what is planted, and lets sound augmentations through."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from tests.core.testing.conftest import Planted, failures, require_found, results, unproven
from torch import Tensor

from genlab import Augmentation, AugmentedSide
from genlab.testing import AugmentationSuite


class Roll(Augmentation):
    """Sound: images moved around in a circle, by whole pixels of conditions."""

    draw_count: ClassVar[int] = 1

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Tensor:
        return torch.stack([self.moved(image, side, float(share)) for image, share in zip(images, draws, strict=True)])

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        return image.roll(int(share * side.size[1] / side.scale) * side.scale, dims=2)


class Negative(Roll):
    """Sound: values change, and pixels stay; only of images."""

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Tensor:
        if side.is_labels and side.name != "mask":
            raise ValueError("it takes no labels")
        return images.clone() if side.is_labels else 255 - images


class Erase(Roll):
    """Sound: a part of conditions goes, and targets stay."""

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        kept = image.clone()
        if side.name == "condition":
            kept[:, : side.size[0] // 3, : int(share * side.size[1])] = 0
        return kept


class Nothing(Augmentation):
    """Sound: refuses all, so that there is nothing to test."""

    draw_count: ClassVar[int] = 0

    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        raise ValueError("it takes nothing")

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Tensor:
        return images


class NoHelp(Roll):
    """Does not say what its setting is for."""

    def __init__(self, *, amount: float = 0.1) -> None:
        pass


class NoCount(Augmentation):
    """Does not say how much it draws."""

    apply = Roll.apply
    moved = Roll.moved


class Doubling(Roll):
    """Reads images twice as large, and gives them so."""

    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return size[0] * 2, size[1] * 2


class Floats(Roll):
    """Gives numbers of another type."""

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Tensor:
        return super().apply(images, side, draws).float()


class Lists(Roll):
    """Gives a list of images."""

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Any:
        return list(images)


class InPlace(Roll):
    """Writes where it reads."""

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Tensor:
        return images.copy_(images.flip(3).clone())


class Drawing(Roll):
    """Draws numbers that no resume can draw again."""

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        return super().moved(image, side, float(torch.rand(())))


class Mixing(Roll):
    """Gives each image the numbers of the first."""

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Tensor:
        return super().apply(images, side, draws[:1].expand(len(images), -1))


class Blurred(Roll):
    """Takes classes for values."""

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        return ((image.float() + image.roll(1, dims=2)) / 3).to(image.dtype)


class OneSide(Roll):
    """Moves the condition, and leaves its target where it was."""

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        return super().moved(image, side, share) if side.name == "condition" else image


class WithoutLabels(Roll):
    """Moves images, and leaves labels where they were."""

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        return image if side.is_labels else super().moved(image, side, share)


class WithoutScale(Roll):
    """Moves larger targets by as many pixels."""

    def moved(self, image: Tensor, side: AugmentedSide, share: float) -> Tensor:
        return image.roll(int(share * side.size[1] / side.scale), dims=2)


PLANTED = [
    Planted(NoHelp, "test_settings_have_help", "says nothing of `amount`"),
    Planted(NoCount, "test_a_recipe_can_name_it", "lacks `draw_count`"),
    Planted(Doubling, "test_it_gives_images_of_the_size", "expected uint8 (6, 3, 32, 32), got uint8 (6, 3, 64, 64)"),
    Planted(Floats, "test_it_gives_images_of_the_size", "expected uint8 (6, 3, 32, 32), got float32 (6, 3, 32, 32)"),
    Planted(Lists, "test_it_gives_images_of_the_size", "expected a tensor, got a list"),
    Planted(InPlace, "test_it_leaves_what_it_is_given", "it writes into the images that it is given"),
    Planted(Drawing, "test_it_draws_nothing_of_its_own", "draw by `draws` alone"),
    Planted(Mixing, "test_each_image_changes_by_itself", "an image changes with the others of its batch"),
    Planted(Blurred, "test_labels_keep_their_classes", "labels of the condition, uint8 (6, 1, 32, 32): it makes up"),
    Planted(OneSide, "test_all_sides_move_alike", "images of the target"),
    Planted(WithoutLabels, "test_all_sides_move_alike", "labels of the condition"),
    Planted(WithoutScale, "test_all_sides_move_alike", "images of the target"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_mistake_is_found(planted: Planted) -> None:
    require_found(AugmentationSuite, planted)


def test_every_test_finds_something() -> None:
    assert unproven(AugmentationSuite, PLANTED) == set()


@pytest.mark.parametrize("sound", [Roll, Negative, Erase])
def test_a_sound_one_passes(sound: type[Augmentation]) -> None:
    assert failures(AugmentationSuite, sound) == {}


def test_one_that_takes_nothing_is_not_tested() -> None:
    found = results(AugmentationSuite, Nothing)
    assert {result.outcome for name, result in found.items() if "recipe" not in name and "help" not in name} == {
        "skipped"
    }
    assert "it takes nothing" in found["test_all_sides_move_alike"].why
