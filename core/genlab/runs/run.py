"""A run from before, read back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from genlab.assemble.experiment import build_method, build_networks, construct, construct_losses, open_data, prepare
from genlab.assemble.read import CheckedRecipe
from genlab.assemble.recipe import Recipe
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_bytes, to_classes, to_network, to_tensor
from genlab.engine.checkpoint import load_method
from genlab.engine.checkpoint_files import prediction_files, step_of
from genlab.engine.inference import Predictor, predict_any_size
from genlab.engine.runtime import choose_device
from genlab.errors import DataError, RunError
from genlab.interfaces.dataset import ImageSide, Palette
from genlab.interfaces.listener import Listener
from genlab.interfaces.method import Method
from genlab.interfaces.network import Generator
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest
from genlab.runs.reading import read_run
from genlab.util.files import content_hash


class Run:
    """A trained run, or one that was stopped: `genlab.open_run("runs/...")`.

    Args:
        folder: the run's folder; it alone is enough.
        device: where to predict; chosen as for training by default.
    """

    def __init__(self, folder: RunFolder, device: str = "auto") -> None:
        self.folder = folder
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
        """The manifest as it is now."""
        return self.folder.read()

    @property
    def metrics(self) -> dict[str, float]:
        """The last validation's, such as `validation/l1`."""
        return self.manifest.metrics

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return self._checked.recipe

    @property
    def method(self) -> Method:
        """The method with its trained networks; `RunError` if the run has no checkpoint."""
        return self._loaded[0]

    @cached_property
    def _loaded(self) -> tuple[Method, Path, str]:
        """The method, the checkpoint that it is of, and the hash of all that it was loaded from."""
        networks = build_networks(self.recipe, self.manifest.channels, self._checked.document)
        losses = construct_losses(self.recipe, self._checked.document)
        method = build_method(self.recipe, networks, losses, self._checked.document)
        for module in (*networks.values(), *losses.values()):
            module.to(self.device).eval()
        return method, *self._load(method)

    def _hash(self, checkpoint: Path) -> str:
        files = content_hash([self.folder.recipe_path, *self.folder.plugin_files, *prediction_files(checkpoint)])
        return hashlib.sha256(f"{files} {self.classes}".encode()).hexdigest()

    def _checkpoint(self) -> Path:
        checkpoint = self.folder.last_checkpoint()
        if checkpoint is None:
            raise RunError("the run has no checkpoint yet, so it has no trained networks", where=str(self.path))
        return checkpoint

    def _load(self, method: Method) -> tuple[Path, str]:
        """Load the last checkpoint; which it is, and the hash that it had before and after."""
        checkpoint = self._checkpoint()
        try:
            before = self._hash(checkpoint)
            load_method(checkpoint, method)
            if self._hash(checkpoint) == before:
                return checkpoint, before
        except (RunError, OSError):
            if checkpoint.exists():
                raise
        # Another took its place meanwhile: the run is being trained, or the folder was replaced.
        return self._load(method)

    @property
    def step(self) -> int:
        """After how many steps its networks were saved."""
        return step_of(self._loaded[1])

    @property
    def generator(self) -> Generator:
        """The trained generator, an ordinary PyTorch module in evaluation mode.

        In that mode batch normalization goes by running statistics, which is not how pix2pix predicts: `predict` does
        as the recipe's `[inference]` says.
        """
        generator = self.method.networks["generator"]
        assert isinstance(generator, Generator)
        return generator

    @property
    def classes(self) -> Palette | None:
        """The colors of the classes that it predicts; None for one that predicts images."""
        return self.manifest.classes

    def validation_pairs(self) -> PreparedPairs:
        """The pairs that it was validated on; `DataError` if they are unavailable or changed."""
        data = open_data(construct(replace(self.recipe, metrics={}, listeners={}), self._checked.document).data)
        if data.validation.fingerprint() != self.manifest.data.fingerprints.get("validation"):
            raise DataError(
                "the validation data has changed since this run was trained",
                where=data.validation.description,
                hint="Restore the original data.",
            )
        return prepare(self.recipe, data.validation)

    def listeners(self) -> Sequence[tuple[str, Listener]]:
        """The recipe's listeners, by label."""
        return list(construct(replace(self.recipe, metrics={}), self._checked.document).listeners.items())

    def fingerprint(self) -> str:
        """A hash of what predictions depend on, as it was loaded: recipe, plugins given as files, and trained weights.

        What is installed is not in it. `RunError` if there are no trained weights.
        """
        return self._loaded[2]

    def apply(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Apply the networks to conditions in [-1, 1] of any size, as the recipe's `[inference]` says.

        Returns:
            Images in [-1, 1], or scores of classes, on the run's device.
        """
        predictor = Predictor(self.method, self.recipe.settings.inference)
        return predict_any_size(predictor, condition.to(self.device), self.generator.size_multiple)

    def predict(self, image: NDArray[np.generic]) -> NDArray[np.unsignedinteger]:
        """Predict one image with the generator, as the recipe's `[inference]` says.

        Args:
            image: (height, width, channels) of uint8 or uint16, any size.

        Returns:
            The prediction, of the same height and width: an image (height, width, channels) of uint8, or the class of
            each pixel (height, width).

        Raises:
            DataError: the generator was trained on another number of channels.
        """
        channels = self.manifest.channels[0]
        if image.ndim != 3 or image.shape[2] != channels:
            raise DataError(f"the generator takes {channels} channels; this image is an array {image.shape}")
        side = ImageSide(channels)
        prediction = self.apply(to_network(to_tensor(image, side, "image")[None], side))[0]
        return to_bytes(prediction) if self.classes is None else to_classes(prediction)

    @cached_property
    def _checked(self) -> CheckedRecipe:
        return read_run(self.folder)
