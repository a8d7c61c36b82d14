"""Gradient penalty of Wasserstein GANs."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.linalg import vector_norm
from typing_extensions import override

from genlab import Objective, StepContext
from genlab_losses.score_gradients import score_gradients


class GradientPenalty(Objective):
    """Squared distance of the gradient's norm from 1 (WGAN-GP, Gulrajani et al. 2017, arXiv 1704.00028, equation 3).

    The gradient is that of the score by the image, halfway between target and prediction: at a point that is drawn for
    each pair. The paper gives it a weight of 10. It belongs to `objective = "wgan"` of the loss `adversarial`, and goes
    with the others too. With several maps of scores it is the mean of each map's.

    Each image's gradient is to be of its own score, so the discriminator must not normalize over the batch (section 4):
    with a batch size above 1, one with batch norm is refused.
    """

    side: ClassVar[Literal["generator", "discriminator"]] = "discriminator"
    needs_independent_scores: ClassVar[bool] = True

    @override
    def forward(self, step: StepContext) -> Float[Tensor, ""]:
        share = step.draws.uniform("gradient_penalty", step.target).view(-1, 1, 1, 1)
        between = torch.lerp(step.prediction.detach(), step.target, share)
        norms = [vector_norm(gradient, dim=(1, 2, 3)) for gradient in score_gradients(step, between)]
        return (torch.stack(norms) - 1).square().mean()
