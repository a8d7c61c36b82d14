"""The method, the loss and the metrics do all that genlab asks of their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import genlab
from genlab.testing import LossSuite, MethodSuite, MetricSuite
from genlab_facades.classes import PALETTE
from genlab_facades.drawn_facades import DrawnFacades
from genlab_segmentation.cross_entropy import CrossEntropy
from genlab_segmentation.label_recovery import LabelRecovery
from genlab_segmentation.method import Segmentation
from genlab_segmentation.metric import SegmentationScores

COLORS = np.array(PALETTE, np.uint8)

Labels = NDArray[np.integer]


def scores(truth: Labels, found: Labels) -> dict[str, float]:
    """The scores of Long et al. 2015 over all pixels at once, class by class."""
    classes = [number for number in range(int(max(truth.max(), found.max())) + 1) if number in truth or number in found]
    right = {number: ((truth == number) & (found == number)).sum() for number in classes}
    either = {number: ((truth == number) | (found == number)).sum() for number in classes}
    there = [number for number in classes if number in truth]
    return {
        "pixel_accuracy": float((truth == found).mean()),
        "class_accuracy": float(np.mean([right[number] / (truth == number).sum() for number in there])),
        "class_iou": float(np.mean([right[number] / either[number] for number in classes])),
    }


class TestSegmentation(MethodSuite):
    component = Segmentation


class TestCrossEntropy(LossSuite):
    component = CrossEntropy


class TestSegmentationScores(MetricSuite):
    component = SegmentationScores

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Mapping[str, float]:
        return scores(target.argmax(dim=1).numpy(), prediction.argmax(dim=1).numpy())


class TestLabelRecovery(MetricSuite):
    """With a judge of drawn facades: conditions are labels in their colors, and targets the photos."""

    component = LabelRecovery
    count: ClassVar[int] = 5

    @pytest.fixture(autouse=True)
    def judging(self, good_judge: Path) -> None:
        self.settings = {"judge": good_judge}

    def example(self) -> tuple[Tensor, Tensor, Tensor]:
        pairs = DrawnFacades(size=self.size, validation_count=self.count).open("validation")
        conditions, targets = (torch.cat(side) for side in zip(*map(self.seen, pairs), strict=True))
        shares = torch.linspace(0.1, 0.9, self.count).view(-1, 1, 1, 1)
        noise = torch.rand(targets.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        return conditions, targets, torch.lerp(targets, noise, shares)

    def seen(self, pair: genlab.Pair) -> tuple[Tensor, Tensor]:
        """The label map in its colors, and the photo, as networks see them."""
        pictures = (COLORS[pair.b], pair.a)
        labels, photo = (torch.from_numpy(np.array(picture)).movedim(-1, 0)[None] for picture in pictures)
        return labels / 127.5 - 1, photo / 127.5 - 1

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Mapping[str, float]:
        judge = genlab.open_run(self.settings["judge"])
        colors = ((condition.movedim(1, -1) + 1) * 127.5).round().byte().numpy()
        truth = (colors[..., None, :] == COLORS).all(axis=-1).argmax(axis=-1)
        found, real = (scores(truth, judge.apply(images).argmax(dim=1).numpy()) for images in (prediction, target))
        return {**found, **{f"real_{name}": score for name, score in real.items()}}
