"""The learned perceptual distance of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import DataError, Metric
from genlab_features.vgg import VGG
from genlab_features.weights_file import PublishedFile, read_weights

TRUNK = PublishedFile(
    content="torchvision's VGG-16",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    address="https://download.pytorch.org/models/vgg16-397923af.pth",
)
LINEAR = PublishedFile(
    content="LPIPS 0.1 of VGG-16",
    sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    address="https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1/vgg.pth",
)

_LAYERS = ["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"]


class LPIPS(Metric):
    """The learned perceptual distance of Zhang et al. 2018 (arXiv 1801.03924), version 0.1 with VGG-16: 0 where equal.

    Features of five layers are scaled to unit length at each position; their squared differences are weighted by
    channel, summed, averaged over positions, and added up over layers. The network is VGG-16 with torchvision's
    weights, the weights of channels are the published ones, and each is read from its published file and from no other.
    Images are seen at their own size, gray ones repeated in three channels, and not rounded to 8 bits. Each image's own
    value is averaged. Positions count by the share of their pixels that do, and also see pixels that do not, at which
    both images agree.

    Not checked against published values: with the published weights of channels, and weights of the same names and
    shapes in VGG-16, it agrees with the package of its authors, lpips 0.1.4, and with torchmetrics 1.9.0.

    Args:
        weights: the file of VGG-16, `vgg16-397923af.pth`, as torchvision publishes it; nothing is downloaded.
        linear: the file with the weights of channels, `vgg.pth`, as LPIPS publishes it in `lpips/weights/v0.1`; the
            package torchmetrics has it too, in `functional/image/lpips_models`.

    Raises:
        ValueError: there is no such file, or it is another.
        DataError: images are neither gray nor in color, or have less than 16 pixels a side.
    """

    higher_is_better: ClassVar[bool] = False

    def __init__(self, *, weights: Path, linear: Path) -> None:
        TRUNK.require(weights, "weights")
        LINEAR.require(linear, "linear")
        self.network = VGG(weights=weights, layers=_LAYERS).requires_grad_(False).eval()
        given = read_weights(linear)
        self.linear = [given[f"lin{index}.model.1.weight"] for index in range(len(_LAYERS))]
        self.reset()

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        mask = torch.ones_like(target[:, :1], dtype=torch.bool)
        self.update_masked(condition, target, prediction, mask)

    @override
    def update_masked(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"],
    ) -> None:
        channels, height, width = target.shape[1:]
        if channels not in (1, 3) or min(height, width) < self.network.min_size:
            what = f"LPIPS compares images of 1 or 3 channels and at least {self.network.min_size} pixels a side"
            hint = "Leave lpips out of the metrics, or measure the features of a run of your own with kid."
            raise DataError(f"{what}, and these have {channels} channels, {width} x {height}", hint=hint)
        self._values += self._distances(target.float(), prediction.float(), mask.float()).cpu().double().tolist()

    @torch.no_grad()
    def _distances(
        self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"], weight: Float[Tensor, "n 1 h w"]
    ) -> Float[Tensor, " n"]:
        network = self.network.to(target.device)
        total = torch.zeros(len(target), device=target.device)
        features = network.features(target), network.features(prediction)
        for linear, one, other in zip(self.linear, *features, strict=True):
            difference = F.normalize(one, dim=1, eps=1e-10) - F.normalize(other, dim=1, eps=1e-10)
            distance = (difference.square() * linear.to(target.device)).sum(dim=1, keepdim=True)
            # The network halves images as this does, without an odd last row or column.
            while weight.shape[-2:] != distance.shape[-2:]:
                weight = F.avg_pool2d(weight, 2)
            total += (distance * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp(min=1e-6)
        return total

    @override
    def compute(self) -> float:
        return fmean(self._values) if self._values else math.nan

    @override
    def per_image(self) -> Sequence[float]:
        return tuple(self._values)

    @override
    def reset(self) -> None:
        self._values: list[float] = []

    @override
    def merge(self, other: LPIPS) -> None:
        self._values += other.per_image()

    @override
    def description(self) -> str:
        return "LPIPS 0.1 of VGG-16, with the published weights; not checked against published values"
