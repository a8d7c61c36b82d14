"""One run of a comparison: measured with its networks, or as it was recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from genlab.assemble.experiment import construct
from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.data.view import view_pairs
from genlab.drawing.curves import Band
from genlab.engine.inference import Predictor
from genlab.engine.runtime import memory_errors
from genlab.engine.validation import measure
from genlab.errors import GenlabError
from genlab.interfaces.batch import Batch
from genlab.runs.kept_recipe import kept_recipe
from genlab.runs.manifest import Manifest
from genlab.runs.reading import read_run
from genlab.runs.run import Run
from genlab.tools.compare.curves import read_curves

MOST_PICTURES = 4

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class MeasuredRun:
    """A run, and what its networks make of the validation pairs.

    Args:
        name: display name.
        manifest: its manifest.
        tables: its resolved recipe.
        step: step of the checkpoint that was measured.
        validation: hash of the validation pairs; None if it is not known.
        scores: by name, such as `validation/l1`.
        per_image: of those that are means over images each image's value, by the image's key.
        higher_is_better: direction of each score, where it is known.
        images: how many were measured.
        curves: metrics and losses during the training.
        pictures: predictions of a few pairs, by key, as uint8 (height, width, 3).
        inputs: condition and target of those pairs.
        problem: why nothing was measured, so that scores are those that the run recorded; None if all is well.
    """

    name: str
    manifest: Manifest
    tables: Mapping[str, Any]
    step: int
    validation: str | None
    scores: Mapping[str, float]
    curves: Mapping[str, Band]
    per_image: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    higher_is_better: Mapping[str, bool] = field(default_factory=dict[str, bool])
    images: int = 0
    pictures: Mapping[str, Picture] = field(default_factory=dict[str, Picture])
    inputs: Mapping[str, tuple[Picture, Picture]] = field(default_factory=dict[str, tuple[Picture, Picture]])
    problem: str | None = None

    @property
    def is_trained(self) -> bool:
        """True unless it was converted from weights, whose training is not known."""
        return self.manifest.conversion is None

    @property
    def label(self) -> str:
        """Status and steps, such as `finished, step 80 of 80`; of weights from elsewhere `converted`."""
        if not self.is_trained:
            return "converted"
        return f"{self.manifest.status}, step {self.step:,} of {self.manifest.steps:,}"


def measure_run(run: Run, name: str, most: int, on_image: Callable[[], None]) -> MeasuredRun:
    """Measure a run's metrics on its validation pairs; where that fails, what it recorded takes their place.

    Args:
        run: the run.
        name: its display name.
        most: how many pairs to measure, spread over all.
        on_image: called after each image.
    """
    known = MeasuredRun(
        name=name,
        manifest=run.manifest,
        tables=kept_recipe(run.folder).values,
        step=run.manifest.step,
        validation=run.manifest.data.fingerprints.get("validation"),
        scores={metric: value for metric, value in run.manifest.metrics.items() if metric.startswith("validation/")},
        curves=read_curves(run.path),
    )
    try:
        with memory_errors():
            return _measured(run, known, most, on_image)
    except GenlabError as error:
        return replace(known, problem=" ".join(filter(None, (f"{error.what.rstrip('.')}.", error.hint))))


def _measured(run: Run, known: MeasuredRun, most: int, on_image: Callable[[], None]) -> MeasuredRun:
    recipe, predictor = run.recipe, Predictor(run.method, run.recipe.settings.inference)
    parts = replace(recipe, augmentations={}, losses={}, listeners={})
    metrics = construct(parts, read_run(run.folder).document).metrics
    pairs = run.validation_pairs()
    indices = evenly_spaced(len(pairs), most)
    pictures = _Pictures(pairs, run, [indices[place] for place in evenly_spaced(len(indices), MOST_PICTURES)])
    measured: list[int] = []

    def predict(index: int, batch: Batch) -> Tensor:
        measured.append(index)
        prediction = predictor(batch.condition)
        pictures.add(index, batch, prediction)
        on_image()
        return prediction

    found = measure(metrics, predict, pairs, indices, run.device)
    return replace(
        known,
        step=run.step,
        validation=known.validation or pairs.pairs.fingerprint(),
        scores={f"validation/{score}": value for score, value in found.scores.items()},
        per_image={f"validation/{score}": values for score, values in found.per_image.items()},
        higher_is_better={f"validation/{score}": it.higher_is_better for score, it in recipe.scores.items()},
        images=len(measured),
        pictures=pictures.predictions,
        inputs=pictures.inputs,
    )


class _Pictures:
    """Pictures of some pairs, made as they are predicted."""

    def __init__(self, pairs: PreparedPairs, run: Run, indices: Collection[int]) -> None:
        self._pairs, self._indices = pairs, indices
        self._views = view_pairs(pairs, run.recipe.settings.evaluate)
        self.predictions: dict[str, Picture] = {}
        self.inputs: dict[str, tuple[Picture, Picture]] = {}

    def add(self, index: int, batch: Batch, prediction: Tensor) -> None:
        if index in self._indices:
            key, (condition, target) = self._pairs[index].key, self._views
            self.predictions[key] = target.picture(batch.compared(prediction)[0])
            self.inputs[key] = (condition.picture(batch.condition[0]), target.picture(batch.target[0]))
