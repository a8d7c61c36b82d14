"""Zero-centered gradient penalties, R1 and R2."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import Objective, StepContext
from genlab_losses.score_gradients import score_gradients


class ZeroCenteredPenalty(Objective):
    """Half the squared norm of the gradient of the score by the image (Mescheder et al. 2018, 1801.04406, equation 9).

    On targets it is R1, on predictions R2; its `weight` is the paper's gamma. The score of an image is the mean of its
    map, so that with patches it is the gradient of the mean. With several maps it is the mean of each map's.

    Args:
        images: the images that it is computed at: `target`, or `prediction`.
        every: it is computed at each so many steps only, with as many times its weight, in an update of its own; 16 is
            StyleGAN2's (Karras et al. 2020, arXiv 1912.04958, appendix B).
    """

    side: ClassVar[Literal["generator", "discriminator"]] = "discriminator"
    needs_independent_scores: ClassVar[bool] = True

    def __init__(self, *, images: Literal["target", "prediction"] = "target", every: Annotated[int, Ge(1)] = 1) -> None:
        super().__init__()
        self.images = images
        self.every = every

    @override
    def forward(self, step: StepContext) -> Float[Tensor, ""]:
        image = step.target if self.images == "target" else step.prediction
        norms = [gradient.square().sum(dim=(1, 2, 3)) for gradient in score_gradients(step, image)]
        return torch.stack(norms).mean() / 2
