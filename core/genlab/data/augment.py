"""Data augmentation of whole batches by a recipe's augmentations, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from genlab.data.device import moved
from genlab.data.order import Draw
from genlab.data.prepared import PreparedPairs
from genlab.errors import Fault, PluginError, RecipeError
from genlab.interfaces.augmentation import Augmentation, AugmentedSide
from genlab.interfaces.dataset import ImageSide

_BELOW_ONE = 1 - 2**-24
"""The largest number below 1 in single precision."""


class AugmentationStep(NamedTuple):
    """One augmentation of a recipe.

    Args:
        label: the recipe's.
        augmentation: the component.
        input_size: height and width that it takes, in pixels of conditions.
        size: those that it gives.
    """

    label: str
    augmentation: Augmentation
    input_size: tuple[int, int]
    size: tuple[int, int]

    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Sequence[Draw]
    ) -> Shaped[Tensor, "n c j k"]:
        """Change images of a side; `PluginError` if the augmentation gives others than it has to."""
        height, width = self.size
        side = replace(side, size=(height * side.scale, width * side.scale))
        numbers = _numbers(draws, self.label, self.augmentation.draw_count, images.device)
        changed = cast(object, self.augmentation.apply(images, side, numbers))  # a plugin's, which may be anything
        wanted = (images.dtype, (*images.shape[:2], *side.size))
        if not isinstance(changed, Tensor) or (changed.dtype, tuple(changed.shape)) != wanted:
            given = f"{changed.dtype} {tuple(changed.shape)}" if isinstance(changed, Tensor) else f"{changed!r:.60}"
            what = f"the augmentation {self.label}: expected {wanted[0]} {wanted[1]} of the {side.name}, got {given}"
            raise PluginError(what)
        return changed


def augmentation_steps(augmentations: Mapping[str, Augmentation], size: tuple[int, int]) -> list[AugmentationStep]:
    """The steps that give images of a size, in their order.

    Args:
        augmentations: by label, in their order.
        size: height and width that networks see of conditions.

    Raises:
        RecipeError: one of them does not give images of such a size.
        PluginError: one says that it takes smaller images than it gives, or no size.
    """
    steps: list[AugmentationStep] = []
    for label, augmentation in reversed([*augmentations.items()]):
        steps.append(AugmentationStep(label, augmentation, _input_size(label, augmentation, size), size))
        size = steps[-1].input_size
    return steps[::-1]


def load_size(steps: Sequence[AugmentationStep], size: tuple[int, int]) -> tuple[int, int]:
    """Height and width that conditions have before the first step, for those of a size after the last."""
    return steps[0].input_size if steps else size


def _input_size(label: str, augmentation: Augmentation, size: tuple[int, int]) -> tuple[int, int]:
    try:
        taken = cast(object, augmentation.input_size(size))  # a plugin's, which may be anything
    except ValueError as error:
        raise RecipeError([Fault(("augment", label), f"the augmentation {label}: {error}", at_key=True)]) from error
    match taken:
        case (int(height), int(width)) if height >= size[0] and width >= size[1]:
            return height, width
        case _:
            what = f"the augmentation {label}: expected an input size of {size[0]} x {size[1]} at least, got {taken}"
            raise PluginError(what)


def augmented_sides(pairs: PreparedPairs) -> tuple[AugmentedSide, AugmentedSide]:
    """Condition and target of prepared pairs, as augmentations are told of them."""
    is_labels = [not isinstance(side, ImageSide) for side in pairs.sides]
    condition, target = pairs.sizes
    return (
        AugmentedSide("condition", is_labels[0], condition),
        AugmentedSide("target", is_labels[1], target, pairs.scale),
    )


def _numbers(draws: Sequence[Draw], name: str, count: int, device: torch.device) -> Float[Tensor, "n k"]:
    rows = torch.tensor([draw.numbers(name, count) for draw in draws], dtype=torch.float64).view(len(draws), count)
    if device.type == "mps":  # which has no double precision
        rows = rows.float().clamp(max=_BELOW_ONE)
    return moved(rows, device)
