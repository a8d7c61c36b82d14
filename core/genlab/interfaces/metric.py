"""Interface of metrics: the quality of predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from genlab.errors import PluginError
from genlab.interfaces.predictions import Predictions


class Metric(ABC):
    """A figure over a set of predictions, or several, which do not depend on how the set is cut into batches.

    The class says in `better` which direction is good, "lower" or "higher", in `predictions` what it measures, and in
    `figures` the names of its figures if it has several: each is then reported as `label/figure`. Where one figure is
    what another would be if predictions were the targets themselves, `target_figures` has it by the other's name.
    """

    better: ClassVar[Literal["lower", "higher"]]
    predictions: ClassVar[Predictions] = "images"
    figures: ClassVar[Sequence[str]] = ()
    target_figures: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        # A type checker takes a string for a sequence of names; Python takes it for letters.
        if isinstance(cls.figures, str):
            what = f'the metric {cls.__name__} has figures = "{cls.figures}", which is no tuple of names'
            raise PluginError(what, hint=f'Write figures = ("{cls.figures}",).')
        if len(set(cls.figures)) < len(cls.figures):
            raise PluginError(f"the metric {cls.__name__} names one of its figures twice: {', '.join(cls.figures)}")
        if unknown := sorted({*cls.target_figures, *cls.target_figures.values()} - {*cls.figures}):
            raise PluginError(
                f"the metric {cls.__name__} has target_figures with `{unknown[0]}`, which is none of its figures"
            )
        if (better := getattr(cls, "better", "lower")) not in ("lower", "higher"):
            raise PluginError(f'the metric {cls.__name__} has better = {better!r}, and it is "lower" or "higher"')

    @abstractmethod
    def update(
        self,
        condition: Float[Tensor, "n c h w"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        """Count in one batch, on any device: images in [-1, 1].

        Where predictions are scores of classes, the target has one channel a class, 1 where a pixel is of the class
        and 0 elsewhere.
        """

    @abstractmethod
    def compute(self) -> float | Mapping[str, float]:
        """The figure over everything since the last reset, or all of `figures` by name."""

    @abstractmethod
    def reset(self) -> None:
        """Forget what was counted."""

    @abstractmethod
    def merge(self, other: Any) -> None:
        """Merge the state of another instance with the same settings, e.g. from another process.

        Instances must be picklable.
        """

    def per_image(self) -> Sequence[float] | None:
        """Values of each image, in order, if the metric is their mean; otherwise None."""
        return None

    def description(self) -> str | None:
        """One line on what it measures with, for the person who starts a run: such as which trained network."""
        return None

    def fingerprint(self) -> str | None:
        """A hash of what it measures with beside its settings, such as weights, if there is such a thing."""
        return None
