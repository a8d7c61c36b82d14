"""Features of the generator of a trained run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import CheckpointChoice, Level, Network, RunError, TrainingError, open_run


class TrainedRun(Network):
    """The features that the generator of a finished run sees in an image: a feature network of one's own domain.

    A run that reads such images as this one predicts will do, such as a segmentation of them, or the way back. What it
    gives as features is the generator's: of `unet` and `resnet`, the outputs of the first half's layers. It is not
    trained further, and its batch norms use their running statistics.

    Args:
        run: the folder of the run, such as `runs/judge`.
        checkpoint: which of its checkpoints: `last`, `best` (by its recipe's `checkpoint.best`), or a number of steps.

    Raises:
        ValueError: there is no such run or checkpoint, it has not finished, or its generator gives no features.
    """

    def __init__(self, *, run: Path, checkpoint: CheckpointChoice = "last") -> None:
        super().__init__()
        try:
            opened = open_run(run, checkpoint=checkpoint, device="cpu")
            status, generator = opened.manifest.status, opened.generator
        except RunError as error:
            advice = f". {error.hint}" if error.hint else ""
            if not run.exists():
                advice = f". Train one with gen run RECIPE --out {quote(str(run))}"
            raise ValueError(f"the run {run}: {error.what}{advice}") from error
        if status != "finished":
            raise ValueError(f"the run {run} is {status}; expected a finished run")
        if not generator.feature_channels:
            name = opened.recipe.networks[opened.generator_role].component
            raise ValueError(f"{name} of the run {run} gives no features; unet and resnet do")
        self.path, self.channels = run, opened.manifest.channels[0]
        self.feature_channels = generator.feature_channels
        self.generator = generator.requires_grad_(False).eval()
        # A run's folder stands for its last checkpoint, which needs no hash of its own.
        self._fingerprint = None if checkpoint == "last" else opened.fingerprint()

    @override
    def fingerprint(self) -> str | None:
        return self._fingerprint

    @override
    def train(self, mode: bool = True) -> TrainedRun:
        """Set the mode; the generator stays in evaluation."""
        super().train(mode)
        self.generator.eval()
        return self

    @override
    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n _ _ _"]:
        """The last feature."""
        return self.features(image)[-1]

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The features of one image in [-1, 1], outermost first; `TrainingError` if it has other channels."""
        (image,) = images
        if image.shape[1] != self.channels:
            what = f"the run {self.path} reads images of {self.channels} channels, got {image.shape[1]}"
            raise TrainingError(what, hint="Name a run that was trained on images such as this one predicts.")
        return self.generator.features(image)

    @override
    def levels(self) -> Sequence[Level]:
        """None, as nothing of it is trained."""
        return ()
