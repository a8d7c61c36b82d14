"""Conformance tests of augmentations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, cast
from unittest import SkipTest

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab.interfaces.augmentation import Augmentation, AugmentedSide
from genlab.testing.examples import images as noise
from genlab.testing.suite import ConformanceError, Suite, require

_COUNT = 6
_SHADES = 7
_ALIKE = 0.3
"""The least correlation of two images that show the same: less than 1 where values change, or a part is erased."""

_SIDES = (
    (AugmentedSide("condition", False, (0, 0)), torch.uint8),
    (AugmentedSide("condition", False, (0, 0)), torch.float32),
    (AugmentedSide("condition", True, (0, 0)), torch.uint8),
    (AugmentedSide("target", False, (0, 0), 2), torch.uint8),
    (AugmentedSide("target", True, (0, 0)), torch.int32),
    (AugmentedSide("target", True, (0, 0), 2), torch.uint8),
    (AugmentedSide("mask", True, (0, 0), 2), torch.uint8),
)
"""Sides as trainings have them, and the types of their tensors."""


class AugmentationSuite(Suite):
    """An augmentation's part of the contract: all sides move alike, and each image changes by its numbers alone.

    Sizes and sides that it refuses by a `ValueError` are not tried.
    """

    kind = "augmentation"
    sizes: ClassVar[tuple[tuple[int, int], ...]] = ((32, 32), (24, 40))
    """Heights and widths to give, in pixels of conditions."""

    def augmentation(self) -> Augmentation:
        """One with the suite's settings."""
        augmentation: Augmentation = self.construct()
        count = cast(object, augmentation.draw_count)  # a plugin's, which may be anything
        require(isinstance(count, int) and count >= 0, f"its `draw_count` is {count!r}; expected an integer from 0 on")
        return augmentation

    def tried(self) -> Iterator[_Tried]:
        """Augmented batches of each side in each size that it takes; the test is skipped if there are none."""
        augmentation, taken, refused = self.augmentation(), 0, ""
        for size in self.sizes:
            for side, dtype in _SIDES:
                try:
                    tried = _Tried(augmentation, size, side, dtype)
                except ValueError as error:
                    refused = str(error)
                else:
                    taken += 1
                    yield tried
        if not taken:
            raise SkipTest(f"it refuses all sizes and sides: {refused}")

    def test_it_gives_images_of_the_size(self) -> None:
        """They have the size that is asked for, and count, channels and type of what is given."""
        for each in self.tried():
            wanted = _words(each.images.dtype, (*each.images.shape[:2], *each.side.size))
            require(each.found == wanted, f"{each}: expected {wanted}, got {each.found}")

    def test_it_leaves_what_it_is_given(self) -> None:
        """The images that it is given stay as they are: they may be kept for the next epoch."""
        for each in self.tried():
            require(each.images.equal(each.before), f"{each}: it writes into the images that it is given")

    def test_it_draws_nothing_of_its_own(self) -> None:
        """The same numbers give the same images, whatever else was drawn."""
        for each in self.tried():
            torch.manual_seed(each.images.numel())
            require(each.changed.equal(each.again()), f"{each}: it gives others each time; draw by `draws` alone")

    def test_each_image_changes_by_itself(self) -> None:
        """In a batch it is changed as it is alone, by its own numbers."""
        for each in self.tried():
            singles = [each.again(slice(place, place + 1)) for place in range(_COUNT)]
            require(each.changed.equal(torch.cat(singles)), f"{each}: an image changes with the others of its batch")

    def test_labels_keep_their_classes(self) -> None:
        """No class is made up, such as one between two others."""
        for each in self.tried():
            if each.side.is_labels:
                made_up = sorted({*each.changed.unique().tolist()} - {*each.images.unique().tolist()})
                require(not made_up, f"{each}: it makes up the class {made_up and made_up[0]}")

    def test_all_sides_move_alike(self) -> None:
        """All show the same at the same place, images as labels, also where targets are larger."""
        first: dict[tuple[int, int], _Tried] = {}
        for each in self.tried():
            other = first.setdefault(each.size, each)
            alike = float(_correlations(each.shown, other.shown).min())
            require(alike > _ALIKE, f"{each}: it moves them in another way than {other}")


class _Tried:
    """One side of a batch, and what an augmentation makes of it; `ValueError` if it refuses such a side."""

    def __init__(
        self, augmentation: Augmentation, size: tuple[int, int], side: AugmentedSide, dtype: torch.dtype
    ) -> None:
        height, width = (length * side.scale for length in size)
        self.augmentation = augmentation
        self.size = size
        self.side = AugmentedSide(side.name, side.is_labels, (height, width), side.scale)
        channels = 1 if side.is_labels else 3
        self.images = _blobs(augmentation.input_size(size), side.scale).to(dtype).repeat(1, channels, 1, 1)
        rng = torch.Generator().manual_seed(3)
        self.draws = torch.rand(_COUNT, augmentation.draw_count, generator=rng, dtype=torch.float64)
        self.before = self.images.clone()
        self.changed = self.again()

    def again(self, part: slice = slice(None)) -> Tensor:
        """Augment some of the images once more."""
        changed = cast(object, self.augmentation.apply(self.images[part], self.side, self.draws[part]))
        if not isinstance(changed, Tensor):
            raise ConformanceError(f"{self}: expected a tensor, got a {type(changed).__name__}")
        return changed

    @override
    def __str__(self) -> str:
        kind = "labels" if self.side.is_labels else "images"
        return f"{kind} of the {self.side.name}, {_words(self.images.dtype, self.images.shape)}"

    @property
    def found(self) -> str:
        """Type and shape of the augmented images."""
        return _words(self.changed.dtype, self.changed.shape)

    @property
    def shown(self) -> Tensor:
        """The augmented images in gray, in pixels of conditions."""
        return F.avg_pool2d(self.changed.float(), self.side.scale).mean(dim=1).flatten(1)


def _blobs(size: tuple[int, int], scale: int) -> Tensor:
    """Blobs of a few shades, or classes, that no turn and no mirror makes alike."""
    values = F.interpolate(noise(_COUNT, 1, 6, 6, seed=5), size, mode="bilinear")
    shades = ((values + 1) * _SHADES / 2).long().clamp(0, _SHADES - 1) * (255 // _SHADES)
    return shades.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


def _correlations(one: Tensor, other: Tensor) -> Tensor:
    """Correlation of each image with the same one of another side, whichever way values changed; 0 without values."""
    one, other = (values - values.mean(dim=1, keepdim=True) for values in (one, other))
    return F.cosine_similarity(one, other).abs()


def _words(dtype: torch.dtype, shape: tuple[int, ...]) -> str:
    return f"{str(dtype).removeprefix('torch.')} {tuple(shape)}"
