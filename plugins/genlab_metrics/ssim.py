"""The structural similarity."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import DataError
from genlab_metrics.mean import MeanOverImages

WINDOW = 11


class SSIM(MeanOverImages):
    """The structural similarity (Wang et al. 2004): 1 for equal images, around 0 for images with nothing in common.

    Windows are Gaussian, 11 pixels wide with a standard deviation of 1.5; K1 is 0.01 and K2 0.03. Images are moved
    to [0, 1] first, as the similarity of means is defined for intensities that start at 0. Each image's own value,
    the mean over its pixels and channels, is averaged.

    Raises:
        DataError: if images are smaller than a window.
    """

    higher_is_better: ClassVar[bool] = True

    @override
    def measure(self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"]) -> Float[Tensor, " n"]:
        # Imported when the first image is measured, as it takes a second, which checking a recipe should not.
        from torchmetrics.functional.image import structural_similarity_index_measure

        height, width = target.shape[-2:]
        if min(height, width) < WINDOW:
            raise DataError(
                f"SSIM compares windows of {WINDOW} x {WINDOW} pixels, and the images have {width} x {height}",
                hint="Use larger images, or leave ssim out of the metrics.",
            )
        values = structural_similarity_index_measure(
            (prediction + 1) / 2, (target + 1) / 2, data_range=1.0, reduction="none"
        )
        assert isinstance(values, Tensor)  # a pair only if full images are asked for
        return values
