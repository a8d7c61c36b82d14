"""Ways of prediction: from condition to target, and back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab.assemble.recipe import Recipe
from genlab.config.schema import Resize
from genlab.data.sides import OneHotLabels, TensorSpec, classes_of_colors
from genlab.errors import ArgumentError, DataError, RunError
from genlab.interfaces.dataset import SIDE_NAMES, ImageSide, LabelSide, Palette, SideName
from genlab.interfaces.method import Method
from genlab.runs.manifest import Manifest, SideRecord, StoredPairs
from genlab.runs.prediction_size import PredictionSize, size_to_predict


class Direction(NamedTuple):
    """From one side to the other.

    Args:
        source: the side that is predicted from.
        result: the side that is predicted.
        stored: images of the source as the run's data have them, if recorded.
        trained: height and width in pixels that networks see of the source.
        how: how training resized its pairs to that.
        factor: how many times as high and wide predictions are.
        is_back: whether it is the way from target to condition.
        classes: the colors of the classes that the targets are to the networks; None for images.
    """

    source: SideRecord
    result: SideRecord
    stored: StoredPairs | None
    trained: tuple[int, int]
    how: Resize
    factor: Fraction
    is_back: bool
    classes: Palette | None

    @property
    def predicts_classes(self) -> bool:
        """True if predictions are scores of classes."""
        return self.classes is not None and not self.is_back

    @property
    def result_side(self) -> ImageSide:
        """The images that are predicted; a label map is predicted in its colors, unless classes are."""
        side = self.result.side
        return side if isinstance(side, ImageSide) else ImageSide()

    def seen_size(self, image: NDArray[np.generic], size: PredictionSize) -> tuple[int, int]:
        """Height and width that an image is resized to before it is predicted."""
        return size_to_predict((image.shape[0], image.shape[1]), size, self.stored, self.trained, self.how)

    def accept(self, image: NDArray[np.generic], where: str) -> tuple[NDArray[np.generic], TensorSpec]:
        """Check an array to predict from; returns it with what it is to the networks.

        Raises:
            DataError: the run was trained on images of another kind.
        """
        known = self.source
        if image.size == 0:
            raise DataError(f"expected an image with pixels, got an array of shape {image.shape}", where=where)
        labels = None if known.classes is None else self._labels(LabelSide(known.classes, known.ignore))
        if labels is not None and image.ndim == 2:
            return image, labels
        if image.ndim == 3 and (image.shape[2], known.channels) == (1, 3):
            image = np.repeat(image, 3, axis=2)
        if labels is not None and (classes := classes_of_colors(image, labels)) is not None:
            return classes, labels
        if self.is_back and self.classes is not None:
            hint = "Give the class of each pixel, or its color in the palette."
            raise DataError("expected a label map of the training's classes", where=where, hint=hint)
        if image.ndim != 3 or image.shape[2] != known.channels:
            what = f"expected {known.channels} channels, as in training, got an array of shape {image.shape}"
            raise DataError(what, where=where)
        is_scaled_by_type = known.range is None and image.dtype.kind == "u" and np.dtype(known.dtype).kind == "u"
        if image.dtype.name != known.dtype and not is_scaled_by_type:
            what = f"expected values of {known.dtype}, as in training, got {image.dtype}"
            raise DataError(what, where=where, hint="Convert it to the type of the training images.")
        return image, ImageSide(known.channels, known.range)

    def _labels(self, side: LabelSide) -> LabelSide | OneHotLabels:
        is_one_hot = self.is_back and self.classes is not None
        return OneHotLabels(side.palette, side.ignore) if is_one_hot else side


def find_direction(
    recipe: Recipe, manifest: Manifest, sides: tuple[SideRecord, SideRecord], to: SideName | None, where: str
) -> Direction:
    """The way to a side of a run.

    Args:
        recipe: the run's.
        manifest: the run's.
        sides: its condition and target.
        to: the side to predict; the target by default.
        where: the run, for errors.

    Raises:
        ArgumentError: there is no such side.
        RunError: the method has no way back.
    """
    if to not in (None, *SIDE_NAMES):
        raise ArgumentError(f"expected a or b, got {to!r}", where="to")
    (condition, target), scale, data = sides, recipe.settings.input.scale, manifest.data
    (height, width), how = recipe.settings.input.height_width, recipe.settings.input.resize
    if to != condition.name:
        return Direction(condition, target, data.stored, (height, width), how, Fraction(scale), False, manifest.classes)
    method: Any = recipe.method.component.cls
    if method.predict_condition is Method.predict_condition:
        what = f"{recipe.method.component} has no way back: it predicts {target.name} from {condition.name} only"
        hint = f"Leave out --to {to} to predict {target.name}, or train with a method that has a way back."
        raise RunError(what, where=where, hint=hint)
    trained, stored = (height * scale, width * scale), data.stored_target or data.stored
    return Direction(target, condition, stored, trained, how, Fraction(1, scale), True, manifest.classes)
