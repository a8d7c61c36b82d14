"""Earlier predictions for a discriminator."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from genlab import Draws


class ImagePool:
    """Earlier predictions, which a discriminator sees in place of half of the newest ones.

    So it does not forget what it once told apart (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3). The first
    images fill the pool, and are shown too. From then on each image is shown itself with a probability of 1/2, and
    otherwise takes the place of a stored one, which is shown instead.

    Args:
        size: the number of images that it stores; with 0 each image is shown itself.

    Attributes:
        images: those that are stored, (c, h, w) each.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def exchanged(self, images: Float[Tensor, "n c h w"], draws: Draws) -> Float[Tensor, "n c h w"]:
        """Store images or not, and give those to show.

        Args:
            images: predictions without gradients.
            draws: random numbers for this batch.
        """
        # On the CPU, as reading them from a GPU would wait for it.
        drawn = draws.uniform("pool", torch.empty(len(images))).tolist()
        return torch.stack([self._exchanged(image, number) for image, number in zip(images, drawn, strict=True)])

    def _exchanged(self, image: Tensor, drawn: float) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        place = int(2 * drawn * self.size)
        if place >= self.size:
            return image
        stored, self.images[place] = self.images[place], image.clone()
        return stored
