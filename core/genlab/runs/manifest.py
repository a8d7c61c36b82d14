"""A run's manifest, `run.json`. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from genlab.assemble.weights_match import WeightsMatch
from genlab.interfaces.dataset import ImageSide, LabelSide, Palette, Side, SideName
from genlab.interfaces.listener import BestValidation, EarlyEnd, Status

RunStatus = Literal["running", Status]
"""How a run ended, or that it has not."""


class DataChange(BaseModel):
    """A change of the data that a resume accepted.

    Args:
        step: how many steps were done.
        time: when it was accepted.
        fingerprints: the hashes of what was read before.
    """

    step: int
    time: datetime
    fingerprints: dict[str, str]


class RecipeChange(BaseModel):
    """A change of the recipe by a resume.

    Args:
        step: how many steps were done.
        time: when it was made.
        key: of the recipe, such as `train.steps`.
        old: the value before; None where there was none.
        new: the value since; None where there is none.
    """

    step: int
    time: datetime
    key: str
    old: Any
    new: Any


class ProcessesRecord(BaseModel):
    """The number of processes that train a run, from a step on."""

    step: int
    count: int


class StoredPairs(BaseModel):
    """Images of a side in training and validation as they are stored, before each is resized for the networks.

    Args:
        least: the smallest height and the smallest width, in pixels.
        most: the largest height and the largest width.
        aspects: the lowest and the highest ratio of width to height.
        colored: whether the first is an image with colors, and not gray in three channels.
    """

    least: tuple[int, int]
    most: tuple[int, int]
    aspects: tuple[float, float]
    colored: bool

    @staticmethod
    def of(sizes: Collection[tuple[int, int]], *, colored: bool) -> StoredPairs:
        """The record of images with these heights and widths."""
        heights, widths = {height for height, _ in sizes}, {width for _, width in sizes}
        aspects = {width / height for height, width in sizes}
        return StoredPairs(
            least=(min(heights), min(widths)),
            most=(max(heights), max(widths)),
            aspects=(min(aspects), max(aspects)),
            colored=colored,
        )

    @property
    def only(self) -> tuple[int, int] | None:
        """Height and width of every image; None where they have several sizes."""
        return self.least if self.least == self.most else None


class DataRecord(BaseModel):
    """The data that a run was trained on, with content hashes, and how many files of each kind were left out.

    The hashes are of the pairs by split, and of what components load by their keys in the recipe. `stored` are the
    conditions. Runs that did not record `stored_target` have targets of the same sizes.
    """

    source: str
    reason: str | None
    training: str
    validation: str
    fingerprints: dict[str, str]
    stored: StoredPairs | None = None
    stored_target: StoredPairs | None = None
    changes: list[DataChange] = Field(default_factory=list[DataChange])
    left_out: dict[str, int] = Field(default_factory=dict[str, int])


class SideRecord(BaseModel):
    """A side as the run was trained on it.

    Args:
        name: `a` or `b`, as the dataset calls it.
        channels: of its arrays; of a label map, those of its colors.
        dtype: NumPy's name of its arrays' type.
        range: the values of black and of full intensity; None for those of the type.
        classes: the palette of a label map.
        ignore: the value of a label map's pixels of no class; None if all have one.
    """

    name: SideName
    channels: int
    dtype: str
    range: tuple[float, float] | None = None
    classes: Palette | None = None
    ignore: int | None = None

    @property
    def side(self) -> Side:
        """The side as datasets declare it."""
        if self.classes is None:
            return ImageSide(self.channels, self.range, self.dtype)
        return LabelSide(self.classes, self.ignore)


class ConversionRecord(BaseModel):
    """The file whose weights a run has, which another program trained.

    Args:
        file: its path when it was converted.
        sha256: of its content.
        layout: the network as that program calls it, such as `unet_256 with batch norm`.
        left_out: names of its statistics that no network here uses.
    """

    file: str
    sha256: str
    layout: str
    left_out: list[str] = Field(default_factory=list[str])


class Manifest(BaseModel):
    """Provenance and progress of a run.

    `recipe` has the tables of the resolved recipe, which the folder's recipe.toml must equal. While that file is being
    replaced, it may still equal `replaced_recipe`. Runs from before these fields have neither.

    Args:
        id: made once, when the run starts; its checkpoints have it, too. Empty for runs from before there were ids.
        plugin_files: SHA-256 of the copies of plugin files in the run's folder, by file name; None if not recorded.
        best: the best validation so far, if the recipe has `checkpoint.best`.
        ended_early: why it finished before its last step, if it did.
        results: SHA-256 of the files with what a trial of an ablation observed, by file name, once it has ended as
            one; None for other runs.
        starts: what the networks started with besides what was drawn, by role.
        asked: SHA-256 of the recipe that the command asked for; empty for runs from before this was recorded.
        processes: how many trained it, in their order; none for runs from before this was recorded, which had one.
        conversion: the file that it was converted from; None for runs that were trained.
        metrics_step: how many steps were done when `metrics` were measured; None if not recorded.
        higher_is_better: the better direction of each score of the recipe's metrics, such as `l1`, if recorded.
    """

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="constants")

    format: Literal[1] = 1
    id: str = ""
    title: str
    status: RunStatus = "running"
    step: int = 0
    steps: int
    metrics: dict[str, float] = Field(default_factory=dict[str, float])
    metrics_step: int | None = None
    higher_is_better: dict[str, bool] = Field(default_factory=dict[str, bool])
    best: BestValidation | None = None
    ended_early: EarlyEnd | None = None
    signal: int | None = None
    failure: str | None = None
    seconds: float = 0.0
    created: datetime
    updated: datetime
    command: list[str]
    versions: dict[str, str]
    machine: dict[str, str]
    git: dict[str, str] | None
    plugins: dict[str, str]
    plugin_files: dict[str, str] | None = None
    code: dict[str, str] = Field(default_factory=dict[str, str])
    channels: tuple[int, int]
    classes: Palette | None = None
    condition: SideRecord | None = None
    target: SideRecord | None = None
    data: DataRecord
    recipe: dict[str, Any] | None = None
    replaced_recipe: dict[str, Any] | None = None
    recipe_changes: list[RecipeChange] = Field(default_factory=list[RecipeChange])
    facts: dict[str, str]
    starts: dict[str, WeightsMatch] = Field(default_factory=dict[str, WeightsMatch])
    asked: str = ""
    processes: list[ProcessesRecord] = Field(default_factory=list[ProcessesRecord])
    conversion: ConversionRecord | None = None
    results: dict[str, str] | None = None
