"""Gradients of a discriminator's scores by the image that it scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from genlab import StepContext


def score_gradients(step: StepContext, image: Float[Tensor, "n d h w"]) -> Sequence[Float[Tensor, "n d h w"]]:
    """The gradient of each image's score by its pixels, for each map of scores; differentiable by the discriminator.

    The score of an image is the mean of its map, as adversarial losses take it.
    """
    image = image.detach().requires_grad_()
    totals = [scores.mean(dim=(1, 2, 3)).sum() for scores in step.score(image)]
    return [torch.autograd.grad(total, image, create_graph=True)[0] for total in totals]
