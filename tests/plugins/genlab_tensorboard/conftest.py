"""A run's events, told to the listener as the engine does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab import Pictures, Previewed, Started, Step, StepMetrics, Validated
from genlab_tensorboard.listener import TensorBoard

RECIPE = 'title = "```"\n\n[generator]\nname = "unet"  # <b>bold</b>\n'
FACTS = {"device": "cpu | 2 threads", "data": "pairs in /data/my_facades_[v2]/*.jpg\nand <em>more</em>"}


class ToldRun:
    """One stretch of a run: values every 10 steps, a validation and previews every 20."""

    def __init__(self, folder: Path, step: int, validated: bool, previewed: bool) -> None:
        self.listener = TensorBoard()
        self.listener.started(Started(folder, "Ünet, *labels*", RECIPE, FACTS, step, 100, 1, validated, previewed))
        self.step = step

    def until(self, last: int, shift: float = 0.0) -> ToldRun:
        """Tell of the steps up to one; figures are larger by `shift`."""
        for step in range(self.step + 1, last + 1):
            self.listener.step(Step(step, values(step, shift) if step % 10 == 0 else None))
            if step % 20 == 0:
                metrics = {
                    f"{side}/{name}": step / 100 + shift for side in ("validation", "train") for name in ("l1", "psnr")
                }
                self.listener.validated(Validated(step, {**metrics, "gap/l1": 0.0}))
                self.listener.previewed(Previewed(step, pictures(step)))
        self.step = last
        return self


def values(step: int, shift: float = 0.0) -> StepMetrics:
    gradients = {"generator/encoder 1": 4.0, "generator/decoder 1": 2.0, "discriminator/convolution 1": 1.0}
    return StepMetrics(
        losses={"generator/l1": step / 100 + shift, "discriminator/adversarial": 0.5},
        learning_rates={"generator": 2e-4, "discriminator": 1e-4},
        gradient_norms=gradients,
        weight_norms={"generator/encoder 1": 16.0, "generator/decoder 1": 0.0, "discriminator/convolution 1": 8.0},
        images_per_second=8.5,
        waiting=0.25,
        loss_weights={"l1": step / 2},
        total_gradient_norms={"generator": 5.0},
    )


def pictures(step: int) -> Pictures:
    sides = (np.full((2, 24, 16, 3), value, np.uint8) for value in (10, step, 30))
    return Pictures(("cmp_1.jpg", "cmp_2.jpg"), *sides)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder, with a name that needs care."""
    folder = tmp_path / "my runs" / "ünet [1]"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tell(folder: Path) -> Callable[..., ToldRun]:
    """Start or resume the run in `folder`."""
    return lambda step, validated=True, previewed=True: ToldRun(folder, step, validated, previewed)
