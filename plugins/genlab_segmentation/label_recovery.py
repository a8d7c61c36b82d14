"""Recovery of labels from generated photos, by a judge."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from typing_extensions import override

from genlab import CheckpointChoice, DataError, Metric, Run, RunError, open_run
from genlab_segmentation.confusion import SCORES, Confusion

FAR = 85 / 127.5
"""85 of 255 levels. In each of 100 label maps of real facades, blurred by JPEG and scaled down to 32 pixels, half of
the pixels lie nearer than 69 to a class's color; in each photo, half lie farther than 106."""

_SAME = 16 / 127.5
_FEW = 4
"""A map of fewer than so many times as many colors as there are classes was not blurred."""

_log = logging.getLogger("genlab")


def _advice(judge: Path) -> str:
    """Advice on training a judge that does not exist."""
    small, whole = (f"gen run {name} --out {quote(str(judge))}" for name in ("label_judge_small", "label_judge"))
    return f". For photos of facades: `{small}` trains one for 64 pixels, `{whole}` for 256"


class LabelRecovery(Metric):
    """The FCN-score (Isola et al. 2017, section 4.1): how well a judge reads the labels off predictions.

    The labels are the condition. The judge is a finished run of the method `segmentation`, trained on real photos; its
    classes have the colors of the condition. `real_...` are its scores on the real photos: what could be reached at
    best. Per-pixel accuracy, per-class accuracy and class IoU are those of Long et al. 2015, section 5.

    A judge reads best what looks like what it was trained on: train it at the size that it is to judge. Pixels that do
    not count are left out.

    Args:
        judge: the folder of the judge's run, such as `runs/judge`.
        checkpoint: which of its checkpoints: `last`, `best` (by its recipe's `checkpoint.best`), or a number of steps.

    Raises:
        ValueError: there is no such run or checkpoint, it has not finished, or it does not predict classes.
        DataError: when the first image is measured, if the condition does not have the colors of the judge's classes.
    """

    higher_is_better: ClassVar[bool] = True
    target_scores: ClassVar[Mapping[str, str]] = {score: f"real_{score}" for score in SCORES}
    scores: ClassVar[Sequence[str]] = (*SCORES, *target_scores.values())

    def __init__(self, *, judge: Path, checkpoint: CheckpointChoice = "last") -> None:
        self.judge = judge
        self.checkpoint: CheckpointChoice = checkpoint
        try:
            self._run = self._opened("cpu")
            status = self._run.manifest.status
        except RunError as error:
            advice = f". {error.hint}" if error.hint else ""
            raise ValueError(
                f"the judge {judge}: {error.what}{advice if judge.exists() else _advice(judge)}"
            ) from error
        if self._run.classes is None:
            raise ValueError(f"the judge {judge} predicts images; expected a run of the method segmentation")
        if status != "finished":
            raise ValueError(f"the judge {judge} is {status}; expected a finished run")
        self.palette = self._run.classes
        self._is_looked_at = False
        self.reset()

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Without the judge, which another process opens anew."""
        return {name: value for name, value in vars(self).items() if name != "_run"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._run = self._opened("cpu")

    def _opened(self, device: str) -> Run:
        return open_run(self.judge, checkpoint=self.checkpoint, device=device)

    @override
    def description(self) -> str:
        steps, weights = self._run.step, self.fingerprint()[:8]
        return f"judged by {self.judge} ({steps:,} steps, weights {weights})"

    @override
    def fingerprint(self) -> str:
        try:
            return self._run.fingerprint()
        except RunError as error:
            hint = error.hint or "Train it again, or restore it."
            raise DataError(f"the judge cannot be used: {error.what}", where=str(self.judge), hint=hint) from error

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        self.update_masked(condition, target, prediction, torch.ones_like(prediction[:, :1], dtype=torch.bool))

    @override
    def update_masked(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"],
    ) -> None:
        judge = self._on(prediction.device)
        if not self._is_looked_at:
            self._look_at(condition, prediction, mask)
        labels = self._nearest(condition)[0]
        self._predicted.add(labels, self._read(judge, prediction), mask[:, 0])
        self._real.add(labels, self._read(judge, target), mask[:, 0])

    @override
    def compute(self) -> Mapping[str, float]:
        real = {self.target_scores[name]: score for name, score in self._real.scores().items()}
        return {**self._predicted.scores(), **real}

    @override
    def reset(self) -> None:
        self._predicted, self._real = Confusion(len(self.palette)), Confusion(len(self.palette))

    @override
    def merge(self, other: LabelRecovery) -> None:
        self._predicted.merge(other._predicted)
        self._real.merge(other._real)

    def _on(self, device: torch.device) -> Run:
        """The judge on the images' device; `DataError` if it has changed meanwhile."""
        if self._run.device.type != device.type:
            known, self._run = self.fingerprint(), self._opened(device.type)
            if self.fingerprint() != known:
                raise DataError(f"the judge {self.judge} has changed")
        return self._run

    def _read(self, judge: Run, images: Float[Tensor, "n d h w"]) -> Float[Tensor, "n k h w"]:
        scores = judge.apply(images)
        if scores.shape[1] != len(self.palette):
            what = f"the judge gives scores of {scores.shape[1]} classes, and its run.json has {len(self.palette)}"
            raise DataError(what, where=str(self.judge))
        return scores

    def _look_at(
        self,
        condition: Float[Tensor, "n c h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"],
    ) -> None:
        """Check that these are labels and photos that the judge can know."""
        channels = self._run.manifest.channels[0]
        if (given := prediction.shape[1]) != channels:
            raise DataError(f"the judge {self.judge} reads images of {channels} channels, and these have {given}")
        if condition.shape[-2:] != prediction.shape[-2:]:
            what = "the condition's labels have another size than the predictions, so they cannot be compared"
            raise DataError(what, hint="Set input.scale = 1, or leave this metric out.")
        if condition.shape[1] != 3 or not self._has_the_colors(condition, mask[:, 0]):
            raise DataError(
                f"the condition does not have the colors of the classes that the judge {self.judge} reads",
                hint="A judge is trained on photos and labels of the same kind; is input.direction labels to photos?",
            )
        size, known = tuple(prediction.shape[-2:]), self._run.recipe.settings.input.height_width
        if size != known:
            what = "The judge %s was trained on images of %d x %d, and is to judge %d x %d: it reads those worse."
            _log.warning(what, self.judge, *known, *size)
        self._is_looked_at = True

    def _has_the_colors(self, condition: Float[Tensor, "n 3 h w"], counted: Bool[Tensor, "n h w"]) -> bool:
        """True for a label map of the judge's: exactly if it has few colors, or as nearly as JPEG leaves it."""
        distances = self._nearest(condition)[1][counted]
        colors = condition.movedim(1, -1)[counted].unique(dim=0)
        if len(colors) <= _FEW * len(self.palette):
            return bool((distances <= _SAME).all())
        return bool(distances.median() <= FAR)

    def _nearest(self, condition: Float[Tensor, "n 3 h w"]) -> tuple[Int[Tensor, "n h w"], Float[Tensor, "n h w"]]:
        """The class whose color is nearest to each pixel's, and how far it is."""
        palette = torch.tensor(self.palette, dtype=condition.dtype, device=condition.device) / 127.5 - 1
        distances = torch.cdist(condition.movedim(1, -1), palette)
        nearest = distances.min(dim=-1)
        return nearest.indices, nearest.values
