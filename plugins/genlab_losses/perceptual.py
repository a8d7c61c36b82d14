"""Perceptual loss: differences that a trained network sees."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import Loss, Network

_DISTANCES = {"l1": F.l1_loss, "l2": F.mse_loss}


class Perceptual(Loss):
    """Distance of the features that a network sees in prediction and target; the network is not trained.

    With `distance = "l2"` it is the feature reconstruction loss of Johnson et al. 2016, arXiv 1603.08155, section 3.2,
    equation 2; `l1` is that of Chen and Koltun 2017, arXiv 1707.09405, equation 1, and of pix2pixHD. The value is the
    mean over a feature's elements, then the weighted sum over features.

    Args:
        network: the network, such as `{ name = "vgg", weights = "vgg16-397923af.pth" }`, or
            `{ name = "trained_run", run = "runs/judge" }`.
        distance: `l1`, the absolute difference, or `l2`, the squared one.
        feature_weights: a weight for each of the network's features, outermost first. Unless given, all have the same,
            and their sum is 1.

    Raises:
        ValueError: the network gives no features, or another number of them.
    """

    def __init__(
        self, *, network: Network, distance: Literal["l1", "l2"] = "l2", feature_weights: list[float] | None = None
    ) -> None:
        super().__init__()
        count = len(network.feature_channels)
        if not count:
            raise ValueError(f"network: {type(network).__name__} gives no features")
        if feature_weights is not None and len(feature_weights) != count:
            given = len(feature_weights)
            raise ValueError(f"feature_weights has {given} numbers; expected {count}, one for each of its features")
        self.network = network.requires_grad_(False).eval()
        self.feature_weights = feature_weights or [1 / count] * count
        self._distance = _DISTANCES[distance]

    @override
    def train(self, mode: bool = True) -> Perceptual:
        """Set the mode; the network stays in evaluation."""
        super().train(mode)
        self.network.eval()
        return self

    @override
    def forward(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        with torch.no_grad():
            wanted = self.network.features(target)
        pairs = zip(self.feature_weights, self.network.features(prediction), wanted, strict=True)
        return torch.stack([weight * self._distance(made, real) for weight, made, real in pairs]).sum()
