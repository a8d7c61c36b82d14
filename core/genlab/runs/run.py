"""Trained runs, opened for prediction and inspection."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from genlab.assemble.absent_losses import losses_as_there_are
from genlab.assemble.experiment import build_method, construct, prepare
from genlab.assemble.networks import build_networks
from genlab.assemble.open_data import choose_source
from genlab.assemble.read import CheckedRecipe
from genlab.assemble.recipe import Recipe
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import resize, to_array, to_classes, to_network, to_tensor
from genlab.engine.checkpoint import load_method
from genlab.engine.checkpoint_state import IntactCheckpoint, read_progress
from genlab.engine.inference import Predictor, predict_any_size
from genlab.engine.runtime import choose_device, memory_errors
from genlab.engine.tiles import Tiles, predict_tiles
from genlab.errors import DataError, DataUnavailableError, RunError, TrainingError
from genlab.interfaces.dataset import Dataset, Pairs, Palette, SideName, Split
from genlab.interfaces.listener import Listener
from genlab.interfaces.method import Method
from genlab.interfaces.network import Generator
from genlab.registry.discovery.trust import trusting
from genlab.runs.checkpoint_choice import CheckpointChoice, find_checkpoint, trained_checkpoint
from genlab.runs.conversion import unavailable_error
from genlab.runs.direction import Direction, find_direction
from genlab.runs.folder import RunFolder
from genlab.runs.image_warnings import image_warnings
from genlab.runs.manifest import Manifest, SideRecord
from genlab.runs.path_fingerprint import run_fingerprint
from genlab.runs.prediction_size import PredictionSize
from genlab.runs.reading import read_run
from genlab.util.exceptions import summarize

_log = logging.getLogger("genlab")


def warn(where: str, warning: str) -> None:
    """Log a warning about an image."""
    _log.warning("%s: %s.", where, warning)


class Run:
    """A trained run, or one that was stopped: `genlab.open_run("runs/...")`.

    Args:
        folder: the run's folder, which is self-contained.
        device: where to predict; chosen as for training by default.
        trust: whether to run the plugins in the folder, and to remember them as trusted.
        checkpoint: whose networks it has: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.

    Raises:
        RunError: there is no such checkpoint; those that are there are named.
    """

    def __init__(
        self,
        folder: RunFolder,
        device: str = "auto",
        *,
        trust: bool = False,
        checkpoint: CheckpointChoice = "last",
    ) -> None:
        if checkpoint != "last":
            find_checkpoint(folder, checkpoint)
        self.folder = folder
        self.checkpoint: CheckpointChoice = checkpoint
        self._trust = trust
        self.device = choose_device(device)

    @override
    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.manifest.status} at step {self.manifest.step})"

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @cached_property
    def manifest(self) -> Manifest:
        """The current manifest."""
        return self.folder.read()

    @property
    def metrics(self) -> dict[str, float]:
        """The last validation's, such as `validation/l1`; of another checkpoint the last one's until then."""
        if self.checkpoint == "last":
            return self.manifest.metrics
        return read_progress(find_checkpoint(self.folder, self.checkpoint)).metrics

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe; `RunError` if the run has code that is not trusted."""
        return self._checked.recipe

    @property
    def method(self) -> Method:
        """The method with its trained networks; `RunError` if the run has no checkpoint."""
        return self._loaded[0]

    @cached_property
    def _loaded(self) -> tuple[Method, IntactCheckpoint, str]:
        """The method, its checkpoint, and the hash of the loaded files."""
        networks = build_networks(self.recipe, self.manifest.channels, self._checked.document)
        losses = losses_as_there_are(self.recipe)
        method = build_method(self.recipe, networks, losses, self.manifest.channels, self._checked.document)
        for module in (*networks.values(), *losses.values()):
            module.to(self.device).eval()
        checkpoint = self._load(method)
        return method, checkpoint, run_fingerprint(self.folder, checkpoint, self.classes)

    def _load(self, method: Method) -> IntactCheckpoint:
        """Load the chosen checkpoint; of the last ones, the newest that is intact."""
        checkpoint = trained_checkpoint(self.folder, self.manifest.id, self.checkpoint)
        try:
            load_method(checkpoint, method, self.recipe.settings.averaged)
            if read_progress(checkpoint.path).text() == checkpoint.progress.text():  # NaN does not equal itself
                return checkpoint
        except (RunError, OSError):
            if checkpoint.path.exists():
                raise
        # It was replaced meanwhile, by a training or by a new folder.
        return self._load(method)

    @property
    def step(self) -> int:
        """Number of steps after which its networks were saved."""
        return self._loaded[1].progress.step

    @property
    def weight_digests(self) -> dict[str, str]:
        """SHA-256 of the checkpoint's files that it has its weights from, by name."""
        return dict(self._loaded[1].digests)

    @property
    def generator(self) -> Generator:
        """The trained generator, an ordinary PyTorch module in evaluation mode; of several, the method's first.

        What it gives has no bounds: the method makes an image of it.

        In that mode batch normalization uses running statistics, unlike pix2pix: `predict` follows the recipe's
        `[inference]`.
        """
        generator = self.method.networks[self.generator_role]
        assert isinstance(generator, Generator)
        return generator

    @property
    def generator_role(self) -> str:
        """The role of that generator."""
        return next(name for name, role in self.recipe.roles.items() if role.kind == "generator")

    @property
    def classes(self) -> Palette | None:
        """The colors of the classes that it predicts; None for one that predicts images."""
        return self.manifest.classes

    def validation_pairs(self) -> PreparedPairs:
        """The pairs that it was validated on; `DataError` if they are unavailable or changed.

        Those of a run that was converted are those that its recipe names, whatever they hold.
        """
        return self._own_pairs("validation")

    def test_pairs(self) -> PreparedPairs:
        """The pairs of its data's split `test`; `DataError` if there is none, or they are unavailable.

        No training has seen them or recorded what they hold.
        """
        return self._own_pairs("test")

    def _own_pairs(self, split: Split) -> PreparedPairs:
        parts = replace(self.recipe, augmentations={}, metrics={}, listeners={})
        try:
            source = choose_source(construct(parts, self._checked.document).data)
            if split not in source.splits():
                what = f"the run's dataset has no split {split}, but {' and '.join(source.splits())}"
                hint = "Choose one of these; or predict from files: gen predict RUN FOLDER --out DIR."
                raise DataError(what, where=str(self.path), hint=hint)
            pairs = source.open(split)
        except DataUnavailableError as error:
            raise unavailable_error(self.manifest, error) from error
        if split == "validation" and not self.manifest.conversion:
            self._require_unchanged(pairs)
        return prepare(self.recipe, pairs)

    def _require_unchanged(self, validation: Pairs) -> None:
        if validation.fingerprint() != self.manifest.data.fingerprints.get("validation"):
            raise DataError(
                "the validation data has changed since this run was trained",
                where=validation.description,
                hint="Restore the original data.",
            )

    def listeners(self) -> Sequence[tuple[str, Listener]]:
        """The recipe's listeners, by label."""
        parts = replace(self.recipe, augmentations={}, metrics={})
        return list(construct(parts, self._checked.document).listeners.items())

    def fingerprint(self) -> str:
        """Hash of what predictions depend on, as loaded: recipe, plugins given as files, and trained weights.

        Installed packages are not part of it. `RunError` if there are no trained weights.
        """
        return self._loaded[2]

    def apply(
        self,
        images: Float[Tensor, "n c h w"],
        *,
        to: SideName | None = None,
        seed: int | None = None,
        tiles: Tiles | None = None,
    ) -> Float[Tensor, "n d i j"]:
        """Apply the networks to conditions in [-1, 1] of any size, as the recipe's `[inference]` says.

        Args:
            images: conditions; or targets, for the way back.
            to: the side to predict, `a` or `b`; the target by default.
            seed: of dropout and whatever else is drawn; the recipe's `inference.seed` by default.
            tiles: to predict in them, from `choose_tiles`; whole by default.

        Returns:
            Images in [-1, 1], or scores of classes, on the run's device.

        Raises:
            RunError: the method has no way back.
        """
        settings = self.recipe.settings.inference
        if seed is not None:
            settings = settings.model_copy(update={"seed": seed})
        direction, predictor = self.direction(to), Predictor(self.method, settings)
        predict = predictor.predict_condition if direction.is_back else predictor
        if tiles:
            predict = partial(predict_tiles, predict, tiles=tiles, factor=direction.factor)
        return predict_any_size(predict, images.to(self.device), self.size_multiple(to), direction.factor)

    def size_multiple(self, to: SideName | None = None) -> int:
        """Multiple, in pixels, that the networks need heights and widths to be of; `apply` pads images to it.

        Args:
            to: the side to predict, `a` or `b`; the target by default.
        """
        generators = (network for network in self.method.networks.values() if isinstance(network, Generator))
        return math.lcm(*(generator.size_multiple for generator in generators)) * self.direction(to).factor.denominator

    def direction(self, to: SideName | None = None) -> Direction:
        """The way from one side to the other.

        Args:
            to: the side to predict, `a` or `b`; the target by default.

        Raises:
            ArgumentError: there is no such side.
            RunError: the method has no way back.
        """
        return find_direction(self.recipe, self.manifest, (self.condition, self.target), to, str(self.path))

    def predict(
        self,
        image: NDArray[np.generic],
        where: str = "image",
        *,
        size: PredictionSize = "training",
        to: SideName | None = None,
        seed: int | None = None,
        tiles: Tiles | None = None,
        on_warning: Callable[[str, str], None] = warn,
    ) -> NDArray[np.generic]:
        """Predict one image with the generator, as the recipe's `[inference]` says.

        The image is resized as training resizes its pairs, so that objects in it have the scale of training: with pairs
        stored at 512 x 512 and an `input.size` of 256, an image of 512 x 1024 is predicted at 256 x 512. Where pairs
        were stored in several sizes, each was resized by itself, as `input.resize` says, and so is the image. It is
        never cropped or padded to `input.size`.

        The prediction has the size that the network saw, or `input.scale` times that. A photo at the file's own size
        would only look as if it had been predicted in that detail, and how the edges of a mask are to be enlarged is
        for its user to choose.

        Args:
            image: a condition as the training pairs have it: (height, width, channels) with the type and the range of
                theirs; gray where they have colors; or of a label map either its colors, or the class of each pixel
                (height, width).
            where: display name of the image, for errors and warnings.
            size: height and width to resize to, in pixels, one number for a square; `training` resizes as described;
                `stored` does not resize.
            to: the side to predict, `a` or `b`; the target by default. The way back takes an image of the target's
                side.
            seed: of dropout and whatever else is drawn; the recipe's `inference.seed` by default.
            tiles: to predict in them what was resized, from `choose_tiles`; whole by default.
            on_warning: called with `where` and a warning that the image may not be of the kind that the run was trained
                on; by default a warning of the logger `genlab`.

        Returns:
            The prediction: an image (height, width, channels) with the type and the range of the training's targets, or
            the class of each pixel (height, width).

        Raises:
            DataError: the generator was trained on images of another kind, or does not take that size.
            RunError: the method has no way back.
            TrainingError: out of memory.
        """
        direction = self.direction(to)
        array, side = direction.accept(image, where)
        for warning in _warnings(array, direction, size):
            on_warning(where, warning)
        height, width = direction.seen_size(image, size)
        smaller = (
            f"Predict {where} at a smaller size than {height} x {width}, --size HEIGHTxWIDTH, or in tiles, --tile SIZE."
        )
        with memory_errors(smaller):
            source = resize(to_tensor(array, side, where), side, (height, width))
            prediction = self._apply_at(to_network(source[None], side), where, to, seed, tiles)[0]
        return to_classes(prediction) if direction.predicts_classes else to_array(prediction, direction.result_side)

    def _apply_at(
        self, images: Tensor, where: str, to: SideName | None, seed: int | None, tiles: Tiles | None
    ) -> Tensor:
        """Apply the networks; `DataError` for a size, and `TrainingError` for channels, that are not theirs."""
        channels = self.manifest.channels[0 if self.direction(to).is_back else 1]
        try:
            prediction = self.apply(images, to=to, seed=seed, tiles=tiles)
            if prediction.shape[1:2] != (channels,):
                given = tuple(prediction.shape)
                raise TrainingError(f"expected a prediction of {channels} channels, got {given}", where=where)
            return prediction
        except ValueError as error:
            what = f"the networks do not take {images.shape[-2]} x {images.shape[-1]} pixels: {summarize(error)}"
            raise DataError(what, where=where, hint="Try a larger size, such as --size stored.") from error

    def read(self, path: Path, *, to: SideName | None = None) -> NDArray[np.generic]:
        """Read a file to predict from, by the code that reads the training pairs' conditions.

        Args:
            path: the file.
            to: the side to predict from it, `a` or `b`; the target by default.

        Raises:
            DataError: it cannot be read exactly.
        """
        return self._dataset.read(path, self.direction(to).source.name)

    @cached_property
    def _dataset(self) -> Dataset:
        parts = replace(self.recipe, augmentations={}, losses={}, metrics={}, listeners={})
        return construct(parts, self._checked.document).data[-1].instance

    @property
    def condition(self) -> SideRecord:
        """The conditions that it was trained on; 8-bit images for runs that did not record them."""
        return self.manifest.condition or self._presumed(0)

    @property
    def target(self) -> SideRecord:
        """The targets that it was trained on, likewise."""
        return self.manifest.target or self._presumed(1)

    def _presumed(self, index: int) -> SideRecord:
        flipped = self.recipe.settings.input.direction == "b_to_a"
        name: SideName = "b" if flipped == (index == 0) else "a"
        return SideRecord(name=name, channels=self.manifest.channels[index], dtype="uint8")

    @cached_property
    def _checked(self) -> CheckedRecipe:
        with trusting(self._trust):
            return read_run(self.folder)


def _warnings(image: NDArray[np.generic], direction: Direction, size: PredictionSize) -> Iterator[str]:
    if size == "training" and direction.stored is None:
        yield "the run has no record of its pairs' sizes, so it is not resized; set a size if training resized"
    of_several_sizes = size == "training" and direction.stored is not None and direction.stored.only is None
    stretched = of_several_sizes and direction.how == "stretch"
    yield from image_warnings(
        image, direction.source, direction.stored, stretched=stretched, of_target=direction.is_back
    )
