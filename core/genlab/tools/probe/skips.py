"""Replacement of skip connections' features, and its effect on predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from genlab.data.sides import OneHotLabels
from genlab.data.view import SideView
from genlab.engine.inference import Predictor
from genlab.errors import PluginError
from genlab.interfaces.batch import Batch
from genlab.interfaces.listener import Interval, Replacement, SkipEffect
from genlab.interfaces.network import Skip
from genlab.tools.probe.spectrum import high_frequency_energy

Features = Float[Tensor, "1 k i j"]
OneImage = Float[Tensor, "1 d h w"]


class SkipProbe:
    """Predictions with one skip connection replaced, compared with the original ones.

    Scores of classes are looked at as their probabilities, which lie between 0 and 1 as their targets do.

    Args:
        predictor: the trained networks.
        batches: pairs, one each; two at least, as one takes another's features.
        target: how predictions are shown.
        shown: of how many pairs to make pictures.
        in_pairs: whether targets belong to the conditions, so that predictions can be compared with them.
    """

    def __init__(
        self, predictor: Predictor, batches: Sequence[Batch], target: SideView, shown: int, *, in_pairs: bool = True
    ) -> None:
        self.predictor = predictor
        self.batches = batches
        self.target = target
        self.shown = shown
        self.in_pairs = in_pairs
        self.undisturbed = [self._seen(batch) for batch in batches]
        self._energy = [_energy(image) for image in self.undisturbed]

    def effects(self, skip: Skip) -> Iterator[SkipEffect]:
        """Each replacement's effect."""
        features = [self._features(skip, batch) for batch in self.batches]
        for replacement, replaced in _replacements(features).items():
            predictions = [
                self._predict(skip, batch, other) for batch, other in zip(self.batches, replaced, strict=True)
            ]
            yield SkipEffect(
                level=skip.level,
                replacement=replacement,
                change=_over(map(_distance, predictions, self.undisturbed)),
                error=_over(self._errors(predictions)) if self.in_pairs else None,
                high_frequency=_over(
                    _energy(prediction) / energy if energy else math.nan
                    for prediction, energy in zip(predictions, self._energy, strict=True)
                ),
                pictures=self.pictures(predictions),
            )

    def _errors(self, predictions: Sequence[OneImage]) -> Iterator[float]:
        """Increases of the distance to the target."""
        for prediction, before, batch in zip(predictions, self.undisturbed, self.batches, strict=True):
            yield _distance(prediction, batch.target) - _distance(before, batch.target)

    def pictures(self, images: Sequence[OneImage]) -> NDArray[np.uint8]:
        """The first few predictions, for display."""
        return np.stack([self.target.picture(image[0]) for image in images[: self.shown]])

    def _features(self, skip: Skip, batch: Batch) -> Features:
        """Features that the skip connection carries for one pair."""
        found: list[object] = []
        # Copies, here and below, as what follows in the network may change them in place.
        with _hooked(skip.module, lambda features: found.append(_copy(features))):
            self.predictor(batch.condition)
        if len(found) != 1:
            what = f"its skip connection at level {skip.level} was used {len(found)} times in a forward pass"
            raise PluginError(f"the generator breaks the contract: {what}, and should be used once")
        features = found[0]
        if not (isinstance(features, Tensor) and features.is_floating_point()):
            given = features.dtype if isinstance(features, Tensor) else type(features).__name__
            what = f"its skip connection at level {skip.level} carries {given}, and should carry floats, as one tensor"
            raise PluginError(f"the generator breaks the contract: {what}")
        return features

    def _predict(self, skip: Skip, batch: Batch, features: Features) -> OneImage:
        with _hooked(skip.module, lambda _: features.clone()):
            return self._seen(batch)

    def _seen(self, batch: Batch) -> OneImage:
        prediction = self.predictor(batch.condition)
        return prediction.softmax(dim=1) if isinstance(self.target.side, OneHotLabels) else prediction


def _replacements(features: Sequence[Features]) -> Mapping[Replacement, Sequence[Features]]:
    mean = torch.stack(list(features)).mean(dim=0)
    return {
        "cut": [torch.zeros_like(mean)] * len(features),
        "shuffle": [*features[1:], features[0]],
        "average": [mean] * len(features),
    }


@contextmanager
def _hooked(module: nn.Module, hook: Callable[[object], object]) -> Generator[None, None, None]:
    """Call `hook` with a module's output; a returned value replaces the output."""

    def call(_module: nn.Module, _inputs: Any, result: object) -> object:
        return hook(result)

    handle = module.register_forward_hook(call)
    try:
        yield
    finally:
        handle.remove()


def _copy(features: object) -> object:
    return features.clone() if isinstance(features, Tensor) else features


def _distance(one: OneImage, other: OneImage) -> float:
    return (one - other).abs().mean().item()


def _energy(image: OneImage) -> float:
    return float(high_frequency_energy(image)[0])


def _over(values: Iterator[float]) -> Interval:
    figures = np.fromiter(values, dtype=np.float64)
    mean, deviation = float(figures.mean()), float(figures.std(ddof=1))
    return Interval(mean - deviation, mean, mean + deviation)
