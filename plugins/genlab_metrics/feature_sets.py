"""Metrics that compare the features of all predictions with those of all targets."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor
from typing_extensions import override

from genlab import Metric, Network


class FeatureSets(Metric):
    """Keeps the features of every image: the mean over positions of the last feature that a network gives.

    They are kept as float32 on the CPU, 8 bytes for each feature of a prediction and its target: of 10,000 images and
    2,048 features, 164 MB. So counts of several processes are merged without loss. A set of fewer than two images has
    no score: NaN.
    """

    higher_is_better: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = False
    compares_sets: ClassVar[bool] = True

    def __init__(self, *, network: Network) -> None:
        if not network.feature_channels:
            raise ValueError(f"network: {type(network).__name__} gives no features")
        self.network = network.requires_grad_(False).eval()
        self.width = network.feature_channels[-1]
        self.reset()

    @abstractmethod
    def compare(self, predictions: Float64[Tensor, "n f"], targets: Float64[Tensor, "n f"]) -> float:
        """The score of two sets of features, of two images at least."""

    @property
    def count(self) -> int:
        """Number of predictions that were added."""
        return sum(map(len, self._predictions))

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        self._predictions.append(self._features(prediction))
        self._targets.append(self._features(target))

    @torch.no_grad()
    def _features(self, images: Float[Tensor, "n d h w"]) -> Float32[Tensor, "n f"]:
        last = self.network.to(images.device).features(images.detach().float())[-1]
        return last.float().mean(dim=(2, 3)).cpu()

    def features(self) -> tuple[Float64[Tensor, "n f"], Float64[Tensor, "n f"]]:
        """Features of predictions and of targets, in the order in which they were added."""
        none = torch.empty(0, self.width)
        predictions, targets = (torch.cat([none, *found]).double() for found in (self._predictions, self._targets))
        return predictions, targets

    @override
    def compute(self) -> float:
        return self.compare(*self.features()) if self.count > 1 else float("nan")

    @override
    def reset(self) -> None:
        self._predictions: list[Tensor] = []
        self._targets: list[Tensor] = []

    @override
    def merge(self, other: FeatureSets) -> None:
        self._predictions += other._predictions
        self._targets += other._targets

    @override
    def description(self) -> str:
        return f"compares {self.width:,} features of {type(self.network).__name__}"

    @override
    def fingerprint(self) -> str | None:
        return self.network.fingerprint()
