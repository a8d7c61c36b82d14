"""Events of a run, and the interface of its listeners (callbacks). Importing this imports no torch."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from genlab.interfaces.request import Request

Status = Literal["finished", "paused", "interrupted", "failed"]


@dataclass(frozen=True)
class Started:
    """A run starts, or resumes.

    Args:
        folder: where the run is; a listener may write files of its own there.
        title: the recipe's title.
        recipe: the resolved recipe, as TOML.
        facts: summary of the run, in order: name and value (device, data, parameters, ...).
        step: how many steps were done before; 0 for a new run.
        steps: how many steps the training has in all.
        batch_size: images per step.
        validated: whether the validation that is due at `step` is over; otherwise a killed process may have begun it,
            and its events are repeated.
        previewed: the same of the pictures.
    """

    folder: Path
    title: str
    recipe: str
    facts: Mapping[str, str]
    step: int
    steps: int
    batch_size: int
    validated: bool = True
    previewed: bool = True


@dataclass(frozen=True)
class StepMetrics:
    """Values read from the device every few steps.

    Args:
        losses: each term's value, unweighted, by `phase/term`.
        learning_rates: by network role.
        gradient_norms: the L2 norm of each level's gradient, by `role/level`.
        weight_norms: the L2 norm of each level's weights, by `role/level`.
        images_per_second: since the last such event.
        waiting: fraction of that time spent waiting for pairs (data stall), from 0 to 1.
        loss_weights: weights that change over the training, by the loss's label.
        total_gradient_norms: the L2 norm of all gradients of a network, by role, before `optimizer.clip` scales them.
    """

    losses: Mapping[str, float]
    learning_rates: Mapping[str, float]
    gradient_norms: Mapping[str, float]
    weight_norms: Mapping[str, float]
    images_per_second: float
    waiting: float = 0.0
    loss_weights: Mapping[str, float] = field(default_factory=dict[str, float])
    total_gradient_norms: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Step:
    """A step is done. Reading values synchronizes a GPU, so most steps come without them."""

    step: int
    values: StepMetrics | None


@dataclass(frozen=True)
class Pictures:
    """A few pairs, the same each time: uint8 arrays (n, height, width, 3) for display.

    Args:
        keys: the pairs' names.
        condition: what the generator was given; enlarged, pixel by pixel, where targets are larger.
        prediction: what it made of it.
        target: what it should have made, or without pairs what it should look like: a target of another image.
        condition_caption: which bands of the condition are shown, and which values are black and white, such as
            `bands 4 3 2 of 8, 0 to 10000`; empty for gray and RGB of 8 bits and for label maps.
        target_caption: the same of target and prediction.
        is_paired: whether condition and target belong together.
    """

    keys: tuple[str, ...]
    condition: NDArray[np.uint8]
    prediction: NDArray[np.uint8]
    target: NDArray[np.uint8]
    condition_caption: str = ""
    target_caption: str = ""
    is_paired: bool = True

    @property
    def columns(self) -> dict[str, NDArray[np.uint8]]:
        """Conditions, predictions and targets by the titles of a contact sheet's columns."""
        return {
            f"condition\n{self.condition_caption}".strip(): self.condition,
            f"prediction\n{self.target_caption}".strip(): self.prediction,
            f"{self.target_title}\n{self.target_caption}".strip(): self.target,
        }

    @property
    def target_title(self) -> str:
        """Title of the targets, which tells those that are not the conditions' own."""
        return "target" if self.is_paired else "unpaired target"


@dataclass(frozen=True)
class Previewed:
    """Current predictions for the same few validation pairs."""

    step: int
    pictures: Pictures


@dataclass(frozen=True)
class BestValidation:
    """The best validation so far by the score that `checkpoint.best` names.

    Args:
        score: the score's name, such as `validation/ssim`.
        step: steps done then; 0 as long as the score was never a number.
        value: of the score; NaN until then.
        since: how many validations came after it, none of them better.
    """

    score: str
    step: int = 0
    value: float = math.nan
    since: int = 0

    @property
    def is_found(self) -> bool:
        """True once the score was a number."""
        return self.step > 0


@dataclass(frozen=True)
class EarlyEnd:
    """The end of a run before its last step, by its own rule.

    Args:
        by: key of the recipe that ended it: `train.patience`, `method`, or a listener's such as `listeners.flat`.
        reason: one line for people.
    """

    by: str
    reason: str


@dataclass(frozen=True)
class Validated:
    """Metrics over validation pairs, and over as many training pairs, unaugmented.

    Args:
        step: steps done.
        metrics: by `validation/name` and `train/name`, and `gap/name` for their difference, validation less train.
        per_image: of metrics that are means over images, each image's value by its pair's key; by `validation/name` and
            `train/name`.
        best: the best validation so far, this one included; None if the recipe has no `checkpoint.best`.
    """

    step: int
    metrics: Mapping[str, float]
    per_image: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    best: BestValidation | None = None


@dataclass(frozen=True)
class CheckpointSaved:
    """The run can be resumed from here."""

    step: int
    folder: Path


@dataclass(frozen=True)
class Ended:
    """The run is over for now.

    Args:
        step: steps done.
        status: `finished`, `paused` (at --stop-at), `interrupted` (by a signal) or `failed`.
        seconds: how long this stretch took.
        signal: the signal that interrupted it, if one did.
        metrics: the last validation's.
        best: the best validation; None if the recipe has no `checkpoint.best`.
        ended_early: why it finished before its last step, if it did.
    """

    step: int
    status: Status
    seconds: float
    signal: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    best: BestValidation | None = None
    ended_early: EarlyEnd | None = None


@dataclass(frozen=True)
class Trial:
    """One run of an ablation.

    Args:
        arm: the arm's name.
        seed: the recipe's seed.
        folder: the run's.
        settings: the values in which arms differ, by their dotted keys; an arm without one has "none".
    """

    arm: str
    seed: int
    folder: Path
    settings: Mapping[str, str | float | bool]


class Interval(NamedTuple):
    """A score over several seeds: its mean, and one standard deviation to each side."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Compared:
    """An ablation was run, as far as it went.

    Args:
        folder: the ablation's; a listener may write files of its own there, and in those of the trials.
        metrics: names of the compared scores, the primary one first.
        trials: the runs that are finished.
        curves: by metric and arm, the score by step.
        pictures: by arm, the last pictures of the same validation pairs.
    """

    folder: Path
    metrics: Sequence[str]
    trials: Sequence[Trial]
    curves: Mapping[str, Mapping[str, Mapping[int, Interval]]]
    pictures: Mapping[str, Pictures]

    def __getattr__(self, name: str) -> NoReturn:
        now = "; `courses` is called `curves` now" if name == "courses" else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{now}")


Replacement = Literal["cut", "shuffle", "average"]


@dataclass(frozen=True)
class SkipEffect:
    """Effect on predictions of replacing one skip connection's features.

    Values are over the pairs: the mean, and one standard deviation to each side.

    Args:
        level: the skip's, counted from the outermost, 1.
        replacement: its features: `cut`, zeros; `shuffle`, another image's features; `average`, the mean of all
            images' features, position by position.
        change: change of predictions, as mean absolute difference.
        error: increase of their distance to the target, as mean absolute difference; None without pairs.
        high_frequency: energy in their upper half of spatial frequencies, relative to the original predictions.
        pictures: pictures of a few of them.
    """

    level: int
    replacement: Replacement
    change: Interval
    error: Interval | None
    high_frequency: Interval
    pictures: NDArray[np.uint8]


@dataclass(frozen=True)
class Probed:
    """A trained run was probed.

    Args:
        folder: the run's.
        step: steps done.
        pairs: how many validation pairs were used.
        pictures: the undisturbed predictions for the first of them.
        effects: of every skip connection, from the outermost, each replacement.
        gradient_norms: the L2 norm of each level's gradient, by `role/level`, its mean over the pairs.
        weight_norms: the L2 norm of each level's weights, by `role/level`.
        results: the folder in the run's that has the results of probes of this checkpoint; a listener may write files
            of its own there.
    """

    folder: Path
    step: int
    pairs: int
    pictures: Pictures
    effects: Sequence[SkipEffect]
    gradient_norms: Mapping[str, float]
    weight_norms: Mapping[str, float]
    results: Path


class Listener(ABC):
    """Receives a run's events (callbacks); every method is optional.

    The constructor's arguments are settings. A listener that raises is reported once and receives no more
    events; the run continues.

    After a step and after a validation it may ask for something by returning `StopTraining(reason)` or
    `SaveCheckpoint()`. The training follows after that step, once its validation and pictures are made.

    What it counts over a whole training belongs in `state`, as a run may be resumed in another process.
    """

    def started(self, event: Started) -> None:
        """The run starts or resumes: always the first event of a run."""

    def step(self, event: Step) -> Request | None:
        """A step is done; most steps come without values."""

    def previewed(self, event: Previewed) -> None:
        """Pictures were made."""

    def validated(self, event: Validated) -> Request | None:
        """Metrics were measured; after a resume, those of its first step are repeated unless `Started.validated`."""

    def checkpoint_saved(self, event: CheckpointSaved) -> None:
        """A checkpoint is on the disk."""

    def ended(self, event: Ended) -> None:
        """The run is over for now: always its last event, unless the process was killed."""

    def compared(self, event: Compared) -> None:
        """An ablation was run; its only event."""

    def probed(self, event: Probed) -> None:
        """A run was probed; its only event."""

    def state(self) -> Mapping[str, Any]:
        """State that it carries from step to step, in JSON values by name; empty by default.

        A checkpoint holds it, as it was after the events of the checkpoint's step.
        """
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore the `state` of the checkpoint that a run resumes from, right after `started`.

        It is not called for a new run, nor where the checkpoint has no state of this listener's label and class.
        """
