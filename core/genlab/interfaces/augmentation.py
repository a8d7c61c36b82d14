"""Interface of augmentations: random changes of training batches, before the networks see them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Float, Shaped
from torch import Tensor


@dataclass(frozen=True)
class AugmentedSide:
    """One side of a batch, to an augmentation.

    Args:
        name: which side; `mask` is that of the pixels that count, which moves as a label map of the target's does.
        is_labels: whether its values are classes, (n, 1, h, w): such pixels may move, and no class is made up.
        size: height and width in pixels that the augmentation gives.
        scale: how many times as high and wide as conditions its images are.
    """

    name: Literal["condition", "target", "mask"]
    is_labels: bool
    size: tuple[int, int]
    scale: int = 1


class Augmentation(ABC):
    """A random change of training images, made on whole batches, on the networks' device.

    It draws nothing itself: the framework gives it `draw_count` numbers for each image, which are a function of the
    run's seed, of image and epoch, and of the augmentation's label in the recipe. So a batch does not depend on what
    else is drawn, on how samples are divided into batches, or on where a run was resumed. Both sides of a pair get the
    same numbers, one after the other, and have to be moved alike.

    Attributes:
        draw_count: how many numbers it takes for each image.
    """

    draw_count: ClassVar[int]

    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the images that it takes, to give some of a size; larger for one that crops.

        A `ValueError` says that it does not give that size, and is shown at the recipe's line.

        Args:
            size: height and width in pixels of conditions.
        """
        return size

    @abstractmethod
    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Float[Tensor, "n k"]
    ) -> Shaped[Tensor, "n c i j"]:
        """Change the images of one side, or return them as they are.

        Images have values from 0 (black) to 255 (full intensity), as uint8 or, where they are stored otherwise, as
        float32; label maps have classes, as integers. They are not written to, and the result has their type and the
        height and width of `side.size`. Draws are `draw_count` numbers in [0, 1) for each image, in double precision
        where the device has it.

        A `ValueError` says that it does not take such a side. Each is tried before a training, and the error is shown
        at the recipe's line.
        """
