"""The R1 penalty."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge
from genlab import Objective, StepContext
from torch import Tensor


class R1(Objective):
    """Half the squared norm of the score's gradient at real images (Mescheder et al. 2018, 1801.04406, equation 9).

    A recipe's `weight` is the paper's gamma. The score of an image is the mean of its patches' scores, and over the
    maps of a discriminator that has several.

    Args:
        every: steps from one penalty to the next, each with as many times its weight (Karras et al. 2020, 1912.04958,
            appendix B).
    """

    side = "discriminator"
    needs_independent_scores = True

    def __init__(self, *, every: Annotated[int, Ge(1)] = 16) -> None:
        super().__init__()
        self.every = every

    def forward(self, step: StepContext) -> Tensor:
        """A mean over images; the gradient keeps its graph, as the penalty is differentiated by the weights."""
        image = step.target.detach().requires_grad_()
        scores = torch.stack([scores.mean(dim=(1, 2, 3)) for scores in step.score(image)]).mean(dim=0)
        (gradient,) = torch.autograd.grad(scores.sum(), image, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3)).mean() / 2
