"""Interface of metrics: the quality of predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from genlab.errors import PluginError
from genlab.interfaces.predictions import Predictions
from genlab.util.confidence import LEVEL


class Metric(ABC):
    """A score over a set of predictions, or several, which do not depend on how the set is cut into batches.

    The class says in `higher_is_better` which direction is good, in `predictions` what it measures, and in `scores` the
    names of its scores if it has several: each is then reported as `label/score`. Where one score is what another would
    be if predictions were the targets themselves, `target_scores` has it by the other's name. One that does not compare
    an image with its own target, or with its own condition's labels, says `needs_pairs = False`: it also measures
    methods without pairs, whose targets are of other images. Of these, one that compares the set of all predictions
    with the set of all targets says `compares_sets = True`: real images can then be measured against others.
    """

    higher_is_better: ClassVar[bool]
    predictions: ClassVar[Predictions] = "images"
    scores: ClassVar[Sequence[str]] = ()
    target_scores: ClassVar[Mapping[str, str]] = {}
    needs_pairs: ClassVar[bool] = True
    compares_sets: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        # To a type checker a string is a sequence of names; Python would iterate it letter by letter.
        if isinstance(cls.scores, str):
            what = f'the metric {cls.__name__} has scores = "{cls.scores}"; expected a tuple of names'
            raise PluginError(what, hint=f'Write scores = ("{cls.scores}",).')
        if len(set(cls.scores)) < len(cls.scores):
            raise PluginError(f"the metric {cls.__name__} has duplicate scores: {', '.join(cls.scores)}")
        if unknown := sorted({*cls.target_scores, *cls.target_scores.values()} - {*cls.scores}):
            raise PluginError(
                f"the metric {cls.__name__} has target_scores with `{unknown[0]}`, which is none of its scores"
            )
        if not isinstance(direction := getattr(cls, "higher_is_better", True), bool):
            raise PluginError(f"the metric {cls.__name__} has higher_is_better = {direction!r}; it takes True or False")
        if cls.compares_sets and cls.needs_pairs:
            what = f"the metric {cls.__name__} has compares_sets = True, and needs_pairs = True"
            raise PluginError(what, hint="Sets have no pairs: write needs_pairs = False.")

    @abstractmethod
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        """Add one batch, on any device: images in [-1, 1].

        The condition is smaller than the others where `input.scale` says so.

        Where predictions are scores of classes, the target has one channel a class, 1 where a pixel is of the class
        and 0 elsewhere.
        """

    def update_masked(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"],  # noqa: ARG002
    ) -> None:
        """Add one batch of which some pixels do not count: there the mask is false, and prediction and target agree.

        At least one pixel of each image counts. Where predictions are scores of classes, both sides are 0 in all
        channels at the others. This one adds all pixels; override it to leave these out, if they change the score.
        """
        self.update(condition, target, prediction)

    @abstractmethod
    def compute(self) -> float | Mapping[str, float]:
        """The score over everything since the last reset, or all of `scores` by name."""

    @abstractmethod
    def reset(self) -> None:
        """Clear the state."""

    @abstractmethod
    def merge(self, other: Any) -> None:
        """Merge the state of another instance with the same settings, e.g. from another process.

        Instances must be picklable.
        """

    def per_image(self) -> Sequence[float] | None:
        """Values of each image, in order, if the metric is their mean; otherwise None."""
        return None

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:  # noqa: ARG002
        """Confidence interval of the score over the choice of images, for one that is no mean over them; or None.

        Args:
            level: how often such intervals contain the score of infinitely many images.

        Returns:
            Its lower and its upper end; None, as here, where there is none that keeps its level. A mean over images
            needs none of its own: it is computed from `per_image()`.
        """
        return None

    def description(self) -> str | None:
        """One line for users on what it depends on, such as a trained network; None by default."""
        return None

    def fingerprint(self) -> str | None:
        """Hash of what it loads in other ways than by a `Path` among its settings; None by default.

        A run remembers it, and is not resumed with another. What is at a path is hashed without it.
        """
        return None
