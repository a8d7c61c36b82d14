"""Predictions that are drawn: by dropout, or by the method."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.errors import RunError
from genlab.interfaces.dataset import SideName
from genlab.runs.run import Run
from genlab.tools.export.agreement import draw_images
from genlab.tools.random_draws import RandomDraws, has_dropout


def draw_image(run: Run, to: SideName | None) -> Tensor:
    """Draw an image to predict from, (1, channels, height, width), of the training's size."""
    direction = run.direction(to)
    return draw_images(1, run.manifest.channels[1 if direction.is_back else 0], direction.trained)


def is_drawn(run: Run, to: SideName | None) -> bool:
    """Tell whether predictions draw random numbers, and another seed gives another one of an image of training's size.

    Bits alone would not say so: on a GPU, predictions without random numbers may differ in the last ones.
    """
    image = draw_image(run, to)
    with RandomDraws() as draws:
        first = run.apply(image, to=to, seed=0)
    return bool(draws.operators) and not torch.equal(first, run.apply(image, to=to, seed=1))


def require_drawn(run: Run, to: SideName | None) -> None:
    """Refuse a run whose samples of an image would all be one; `RunError` says what would make them differ."""
    if is_drawn(run, to):
        return
    method = run.recipe.method.component.name
    what = f"all samples of an image would be the same, as the method {method} draws nothing when it predicts"
    if any(map(has_dropout, run.method.networks.values())):
        what, hint = f"{what} and dropout is off then", "Train with inference.dropout = true."
    else:
        what, hint = f"{what} and its networks have no dropout", "Train with a generator that has dropout and"
        hint = f"{hint} inference.dropout = true, or with a method that draws, such as bridge."
    raise RunError(what, where=str(run.path), hint=hint)
