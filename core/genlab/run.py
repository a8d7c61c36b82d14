"""A run from before, read back."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genlab.build.experiment import build_method, build_networks, construct_losses
from genlab.build.read import Checked, read
from genlab.build.recipe import Recipe
from genlab.data.sides import to_bytes, to_network, to_tensor
from genlab.engine.checkpoint import load_method
from genlab.engine.inference import Predictor, predict_any_size
from genlab.engine.runtime import choose_device
from genlab.errors import DataError, RunError
from genlab.interfaces.dataset import ImageSide
from genlab.interfaces.method import Method
from genlab.interfaces.network import Generator
from genlab.runs import Manifest, RunFolder


class Run:
    """A trained run, or one that was stopped: `genlab.open_run("runs/...")`.

    Args:
        folder: the run's folder; it alone is enough.
        device: where to predict; chosen as for training by default.
    """

    def __init__(self, folder: RunFolder, device: str = "auto") -> None:
        self.folder = folder
        self.device = choose_device(device)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.manifest.status} at step {self.manifest.step})"

    @property
    def path(self) -> Path:
        return self.folder.path

    @cached_property
    def manifest(self) -> Manifest:
        return self.folder.read()

    @property
    def metrics(self) -> dict[str, float]:
        """The last validation's, such as `validation/l1`."""
        return self.manifest.metrics

    @property
    def recipe(self) -> Recipe:
        return self._checked.recipe

    @cached_property
    def method(self) -> Method:
        """The method with its trained networks; `RunError` if the run has no checkpoint."""
        networks = build_networks(self.recipe, self.manifest.channels, self._checked.document)
        losses = construct_losses(self.recipe, self._checked.document)
        method = build_method(self.recipe, networks, losses, self._checked.document)
        for module in (*networks.values(), *losses.values()):
            module.to(self.device).eval()
        self._load(method)
        return method

    def _load(self, method: Method) -> None:
        checkpoint = self.folder.last_checkpoint()
        if checkpoint is None:
            raise RunError("the run has no checkpoint yet, so it has no trained networks", where=str(self.path))
        try:
            load_method(checkpoint, method)
        except RunError:
            if checkpoint.exists():
                raise
            # The run is being trained, and there is a newer one in its place.
            self._load(method)

    @property
    def generator(self) -> Generator:
        """The trained generator, an ordinary PyTorch module in evaluation mode.

        In that mode batch normalisation goes by running statistics, which is not how pix2pix predicts: `predict` does
        as the recipe's `[inference]` says.
        """
        generator = self.method.networks["generator"]
        assert isinstance(generator, Generator)
        return generator

    def predict(self, image: NDArray[np.generic]) -> NDArray[np.uint8]:
        """What the generator makes of one image, as the recipe's `[inference]` says.

        Args:
            image: (height, width, channels) of uint8 or uint16, any size.

        Returns:
            The prediction: uint8, of the same height and width.

        Raises:
            DataError: the generator was trained on another number of channels.
        """
        channels = self.manifest.channels[0]
        if image.ndim != 3 or image.shape[2] != channels:
            raise DataError(f"the generator takes {channels} channels; this image is an array {image.shape}")
        side = ImageSide(channels)
        condition = to_network(to_tensor(image, side, "image")[None].to(self.device), side)
        predictor = Predictor(self.method, self.recipe.settings.inference)
        return to_bytes(predict_any_size(predictor, condition, self.generator.size_multiple)[0])

    @cached_property
    def _checked(self) -> Checked:
        return read(self.folder.recipe_path, plugins=self.folder.plugin_files)
