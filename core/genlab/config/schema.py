"""Schema of the framework's tables of a recipe. Importing this imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_type_hints

from annotated_types import MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

Fraction = Annotated[float, Field(ge=0, le=1)]
Size = Annotated[int, Field(ge=1, le=65_536)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
PreviewBands = Literal["auto"] | Count | tuple[Count, Count, Count]
PrecisionName = Literal["float32", "bfloat16", "float16"]


class Table(BaseModel):
    """Base of a recipe's tables: strict types, unknown keys are errors, immutable."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] < bounds[1] and not 1e-30 < bounds[1] - bounds[0] < 1e30:
        raise ValueError("its numbers lie too close together or too far apart")
    if not bounds[0] < bounds[1]:
        raise ValueError("its first number is not below its second one")
    return bounds


Percentage = Annotated[float, Field(ge=0, le=100)]
Value = Annotated[float, Field(allow_inf_nan=False)]


class Percentiles(Table):
    """Range of a side by percentiles of its values in the training pairs, of all bands together."""

    percentiles: Annotated[tuple[Percentage, Percentage], AfterValidator(_ascending)]


Resize = Literal["stretch", "crop", "pad", "none"]

ValueRange = Literal["type"] | Annotated[tuple[Value, Value], AfterValidator(_ascending)] | Percentiles


class Input(Table):
    """`[input]`: from pairs as they are stored to what the networks see."""

    direction: Literal["a_to_b", "b_to_a"] = "a_to_b"
    """Which side is the condition and which the target."""
    size: Size | tuple[Size, Size] = 256
    """Height and width that the networks see, in pixels; one number for a square."""
    scale: Annotated[int, Field(ge=1, le=64)] = 1
    """How many times as high and wide as the condition the target is, for super-resolution: `size` is the condition's.
    Both may be stored in one size, or targets `scale` times as large."""
    resize: Resize = "stretch"
    """From stored images to `size`: `stretch` does not keep their aspect; `crop` does, and takes the middle of an image
    that covers `size`; `pad` does, and repeats the borders of one that fits into it; `none` does not resize: it takes
    crops, at random places in training and in the middle for validation."""
    range_a: ValueRange = "type"
    """Values of black and of full intensity of side a: those of its type, as for unsigned integers; `[low, high]`; or
    `{ percentiles = [0.1, 99.9] }`, which are measured on the training pairs. Not for label maps."""
    range_b: ValueRange = "type"
    """The same of side b."""

    @property
    def height_width(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


class OptimizerKeys(Table):
    """`[optimizer]`: what updates the networks, each by itself; with the settings of the optimizer that it names.

    `[optimizer.ROLE]`, such as `[optimizer.discriminator]`, is laid over it for the network of that role, or stands
    alone where it names another optimizer.
    """

    clip: Annotated[float, Field(gt=0, allow_inf_nan=True)] = math.inf
    """The greatest L2 norm of all gradients of a network in an update: larger ones are scaled down to it. Norms that
    are shown are those before."""


class ScheduleKeys(Table):
    """`[schedule]`: the learning rate over the training; with the settings of the schedule that it names.

    `[schedule.ROLE]` is laid over it for the network of that role, or stands alone where it names another schedule.
    """

    warmup: Fraction = 0.0
    """The share of the training over whose steps the rate rises to the schedule's, linearly: over n steps, from 1/n of
    it."""


class Train(Table):
    """`[train]`: how long, and on what."""

    steps: Count
    """The length of the training; schedules follow it."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 1
    """Pairs per batch, and per step unless `accumulate` is above 1."""
    accumulate: Annotated[int, Field(ge=1, le=65_536)] = 1
    """Batches per update, whose gradients are averaged: a step is then one of `accumulate * batch_size` pairs, in the
    memory of `batch_size` pairs. Batch norm has the statistics of each batch by itself."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the networks are; auto takes the first of cuda, mps and cpu that is there."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """CPU threads; as many as PyTorch chooses unless given. Results depend on it by rounding."""
    precision: PrecisionName | Literal["auto"] = "auto"
    """What layers compute in; auto is bfloat16 on a CUDA GPU (float16 on one that lacks it), float32 elsewhere."""
    compile: bool | Literal["auto"] = "auto"
    """Whether networks are compiled, which takes a minute or two; auto does for 1,000 steps and more on a CUDA GPU."""
    sync_batch_norm: bool = False
    """Whether batch norm of a training of several processes has the statistics of a whole batch, instead of those of
    each process's share of it. Such networks are not compiled."""
    readers: Annotated[int, Field(ge=1, le=256)] = 2
    """Threads that read pairs ahead of the step that needs them; results do not depend on it."""
    read_ahead: Annotated[int, Field(ge=0, le=2**20)] = 256
    """Most MiB of decoded pairs that are read ahead, but at least those of one step; results do not depend on it."""
    values_every: Count = 10
    """Steps between two readings of losses and gradient norms; they are also read with each validation."""
    patience: Count | None = None
    """End the training after so many validations in a row of which none is better by `checkpoint.best`; never unless
    given."""

    @property
    def pairs_per_step(self) -> int:
        """Pairs that an update averages over."""
        return self.accumulate * self.batch_size

    @property
    def chosen_precision(self) -> PrecisionName:
        """Precision after it was chosen for a machine; float32 where it is left open."""
        return "float32" if self.precision == "auto" else self.precision


class Ema(Table):
    """`[ema]`: an average of weights (exponential moving average) beside the trained ones; none without this table."""

    horizon: Count
    """Pairs after which the share of a step's weights has fallen to 1/e, where a step counts `train.accumulate *
    train.batch_size` pairs; until then, the average is the plain mean of all steps."""
    roles: tuple[str, ...] = ()
    """The networks whose weights are averaged; all generators that are trained, if none is named."""

    def settled(self, generators: tuple[str, ...]) -> Ema:
        """The table with what it leaves open chosen, for a method that trains these generators."""
        return self if self.roles else self.model_copy(update={"roles": generators})


class Inference(Table):
    """`[inference]`: how the trained generator predicts, always one image at a time."""

    weights: Literal["auto", "plain", "ema"] = "auto"
    """The weights as they were trained, or their average, for validation, previews and all predictions; auto is the
    average where the recipe has an `[ema]`."""
    normalization: Literal["auto", "image", "running"] = "auto"
    """Batch normalization by each image's own statistics, as in the paper, or by those gathered in training; auto is
    image for trainings of batch 1, and running for those of more."""
    dropout: bool = False
    """Keep dropout on, as the paper does; `seed` makes it repeatable."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """For dropout and whatever else is drawn: the same image gives the same prediction."""

    def settled(self, batch_size: int, *, averaged: bool = False) -> Inference:
        """The table with what it leaves open chosen.

        Args:
            batch_size: of the training.
            averaged: whether it has an average of weights.
        """
        chosen = {
            "weights": "ema" if averaged else "plain",
            "normalization": "image" if batch_size == 1 else "running",
        }
        return self.model_copy(update={key: value for key, value in chosen.items() if getattr(self, key) == "auto"})


class Evaluate(Table):
    """`[evaluate]`: validation and preview images, during training and at its end."""

    validations: Count = 10
    """How many times, spread evenly over the training."""
    pairs: Count = 100
    """At most so many validation pairs, and as many training pairs for the gap."""
    previews: Count = 20
    """How many times pictures are made, spread evenly over the training; also before the first step."""
    preview_pairs: Annotated[int, Field(ge=1, le=64)] = 4
    """How many validation pairs the pictures show."""
    preview_bands_a: PreviewBands = "auto"
    """Bands of side a that pictures show: `[4, 3, 2]` as red, green and blue, or `4` in gray, counted from 1 as GDAL
    does; auto shows the first three, or the first where there are fewer. The side's range is black to white."""
    preview_bands_b: PreviewBands = "auto"
    """The same of side b."""


class Checkpoint(Table):
    """`[checkpoint]`: what a run that is cut off can lose."""

    minutes: Annotated[float, Field(gt=0)] = 10.0
    """Save at least this often; also at every stop."""
    keep: Count = 2
    """How many of the last checkpoints stay; if the last one is damaged, the one before is used."""
    best: str | None = None
    """The score whose best validation keeps its checkpoint besides these, such as `validation/ssim`: `validation/`,
    `train/` or `gap/`, and a metric's label. The metric says which direction is better."""


LossWeight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _ScheduledWeight(Table):
    """`weight = { from = 0, to = 10, over = 0.2 }`: the weight of a loss, changed linearly."""

    to: LossWeight
    """The weight after the change."""
    over: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The share of the training that the change takes, from its start."""


# `from` is a reserved word of Python.
ScheduledWeight = create_model(
    "ScheduledWeight",
    __base__=_ScheduledWeight,
    **{"from": (LossWeight, Field(0.0, description="The weight at the first step."))},  # pyright: ignore
)


@dataclass(frozen=True)
class Settings:
    """All of the framework's tables of a recipe."""

    seed: int
    input: Input
    train: Train
    ema: Ema | None
    inference: Inference
    evaluate: Evaluate
    checkpoint: Checkpoint

    @property
    def averaged(self) -> tuple[str, ...]:
        """The roles that predict with an average of their weights."""
        return self.ema.roles if self.ema and self.inference.weights == "ema" else ()


_HINTS = {name: get_args(hint) or (hint,) for name, hint in get_type_hints(Settings).items()}

TABLES: dict[str, type[Table]] = {name: hint[0] for name, hint in _HINTS.items() if issubclass(hint[0], Table)}
"""The framework's tables by name, in the order of a recipe's file."""

KEYS_BESIDE_SETTINGS: dict[str, type[Table]] = {"optimizer": OptimizerKeys, "schedule": ScheduleKeys}
"""The framework's keys in the tables of components that are configured by role, by the table's name."""

OPTIONAL_TABLES = frozenset(name for name, hint in _HINTS.items() if type(None) in hint)
"""Those without which there is nothing of what they describe, instead of its defaults."""


# Names of arms are names of folders and of runs in TensorBoard too.
ArmName = Annotated[str, Field(pattern=r"^\w[\w.+=-]*$")]
ArmChanges = dict[str, Any]
CostUnit = Literal["flops", "seconds"]


class AblationTable(Table):
    """`[ablation]`: one experiment in several arms, each over the same seeds."""

    seeds: Annotated[list[Seed], MinLen(1)] = [0]
    """The seeds of every arm; a comparison is made seed by seed, with no verdict from fewer than three.

    Decide how many before you train: to add some because of a result makes mistakes likelier."""
    stop: Literal["fixed", "settled"] = "fixed"
    """`fixed` trains every arm with all of `seeds`. `settled` begins with four, or with `seeds` if these are more, and
    adds one at a time, up to `max_seeds`, to arms of which it is open whether they differ.

    An arm gets no more once its interval excludes zero, or lies within `smallest_difference`. All looks at the results
    together keep the error rate of 5 %, so intervals are wider than those of as many fixed seeds."""
    max_seeds: Annotated[int, Field(ge=4, le=1000)] | None = None
    """The most seeds of an arm, with `stop = "settled"`: those of `seeds`, then the ones after the largest of them."""
    smallest_difference: Annotated[float, Field(gt=0)] | None = None
    """The smallest difference that matters, in the units of `metric`: an arm whose interval lies within it on either
    side of zero makes none. `gen ablate RECIPE --plan` says how many seeds would show one of this size."""
    baseline: str
    """The arm that the others are compared with."""
    metric: str = "validation/l1"
    """The score that decides: `validation/`, `train/` or `gap/`, and a metric's label.

    Of a metric that gives several scores, `validation/label/score`."""
    metrics: list[str] = []
    """Further scores that are compared, each by itself."""
    budget: Annotated[float, Field(gt=0)] | None = None
    """What the training of each arm may cost, such as `1e15`: it decides `train.steps`.

    Unless given, all arms are trained for the recipe's steps."""
    budget_unit: CostUnit = "flops"
    """`flops` are floating-point operations of matrix products and convolutions in their plain form, as PyTorch counts
    them; `seconds` those of the training's steps on this machine, by a short benchmark before the first training."""
    arms: dict[ArmName, ArmChanges] = {}
    """What each arm changes, by its name; only the baseline may change nothing."""
    axes: dict[ArmName, dict[ArmName, ArmChanges]] = {}
    """Further choices, each with tables of changes by name; every combination with the arms is an arm."""
