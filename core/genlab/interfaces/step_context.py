"""A step as an objective sees it."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Bool, Float
from torch import Tensor

from genlab.errors import TrainingError
from genlab.interfaces.batch import Batch
from genlab.interfaces.network import Discriminator, Network, Scored, as_scored
from genlab.interfaces.position import Draws, Position


class StepContext:
    """A step as an objective sees it: images, position, and what the discriminator makes of images.

    An image is scored once, however many objectives ask for it.

    Args:
        batch: condition and target, and which pixels count.
        prediction: the generator's, or another image that stands for it.
        discriminator: the discriminator of the target's side, if there is one.
        shown: what the discriminator is shown as the condition; by default the condition. One whose role reads an image
            alone is shown none: `batch.condition[:, :0]`.

    Attributes:
        condition: what is predicted from, (n, c, j, k).
        target: what is to be predicted, (n, d, h, w).
        prediction: of the target's shape, and equal to it where a pixel does not count; for a term of the discriminator
            it is detached from the generator.
        mask: true where a pixel of the target counts, (n, 1, h, w); None where all do.
        position: the position in the training.
        draws: random numbers for this batch.
    """

    def __init__(
        self,
        batch: Batch,
        prediction: Float[Tensor, "n d h w"],
        discriminator: Network | None = None,
        shown: Float[Tensor, "n e h w"] | None = None,
    ) -> None:
        self.condition: Tensor = batch.condition
        self.target: Tensor = batch.target
        self.prediction: Tensor = batch.compared(prediction)
        self.mask: Bool[Tensor, "n 1 h w"] | None = batch.mask
        self.position: Position = batch.position
        self.draws: Draws = batch.draws
        if not (discriminator is None or isinstance(discriminator, Discriminator)):
            raise TrainingError(f"expected a discriminator for a step, got a {type(discriminator).__name__}")
        self._discriminator = discriminator
        self._shown: Tensor = batch.condition if shown is None else shown
        self._scored: dict[int, tuple[Tensor, Scored]] = {}

    def mean_over_counted(self, mean: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """The mean over the pixels that count, from that over all, to which the others add 0; 0 where none counts."""
        return mean if self.mask is None else mean * (self.mask.numel() / self.mask.sum().clamp(min=1))

    def score(self, image: Float[Tensor, "n d h w"]) -> Sequence[Float[Tensor, "n 1 i j"]]:
        """The discriminator's maps of scores for an image, at least one."""
        return self._judge([image])[0].maps

    def score_each(self, images: Sequence[Float[Tensor, "n d h w"]]) -> None:
        """Score several images at once, which is faster than one after the other."""
        self._judge(images)

    def features(self, image: Float[Tensor, "n d h w"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The discriminator's features of an image, from the outermost layer of its first map.

        Raises:
            TrainingError: it gives none.
        """
        found = self._judge([image])[0].features
        if not found:
            raise TrainingError(
                f"the discriminator ({type(self._discriminator).__name__}) gives no features",
                hint="Use one that does, such as patchgan or multiscale, or remove the loss that matches features.",
            )
        return found

    def _judge(self, images: Sequence[Tensor]) -> list[Scored]:
        if self._discriminator is None:
            raise TrainingError("an objective asks for scores, and there is no discriminator")
        if new := [image for image in images if id(image) not in self._scored]:
            outputs = (
                self._discriminator.score_each(self._shown, new)
                if len(new) > 1
                else [self._discriminator(self._shown, new[0])]
            )
            # With the image, so that no other one gets its id.
            self._scored |= {id(image): (image, as_scored(out)) for image, out in zip(new, outputs, strict=True)}
        return [self._scored[id(image)][1] for image in images]
