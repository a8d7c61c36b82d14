"""Inference with trained networks, one image at a time, with the settings of the recipe's `[inference]`."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from genlab.config.schema import Inference
from genlab.engine.seeding import isolated_rng
from genlab.engine.weight_average import WeightAverage
from genlab.errors import TrainingError
from genlab.interfaces.method import Method

ONE = Fraction(1)


class Predictor:
    """Predict with a method's networks; their modes, buffers and weights are restored afterwards.

    Args:
        method: the method.
        settings: how it predicts.
        average: the average of weights to predict with; None for the networks' own weights.
    """

    def __init__(self, method: Method, settings: Inference, average: WeightAverage | None = None) -> None:
        assert settings.normalization != "auto", "the normalization is chosen when a recipe is resolved"
        self.method = method
        self.settings = settings
        self.average = average

    def __call__(self, condition: Float[Tensor, "n c j k"]) -> Float[Tensor, "n d h w"]:
        """Predict each image separately, so that the result does not depend on batching."""
        # Not inference_mode(): tensors that a network keeps from here could not be used in training afterwards.
        with torch.no_grad(), self._prepared(), isolated_rng(condition.device):
            return torch.cat([self._one(self.method.predict, image) for image in condition.split(1)])

    def predict_condition(self, target: Float[Tensor, "n d h w"]) -> Float[Tensor, "n c j k"]:
        """Predict each image the way back, likewise."""
        with torch.no_grad(), self._prepared(), isolated_rng(target.device):
            return torch.cat([self._one(self.method.predict_condition, image) for image in target.split(1)])

    def _one(self, predict: Callable[[Tensor], Tensor], image: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 d i j"]:
        """Seed everything drawn by dropout or the method, so that predictions are reproducible."""
        torch.manual_seed(self.settings.seed)
        prediction = cast(object, predict(image))  # a plugin's, which may be anything
        if not isinstance(prediction, Tensor):
            raise TrainingError(f"expected a tensor as the method's prediction, got a {type(prediction).__name__}")
        return prediction

    @contextmanager
    def _prepared(self) -> Generator[None, None, None]:
        modules = [module for network in self.method.networks.values() for module in network.modules()]
        modes = [module.training for module in modules]
        tracked = [module for module in modules if isinstance(module, _BatchNorm) and module.track_running_stats]
        own_statistics = self.settings.normalization == "image"
        try:
            for module in modules:
                module.training = self._trains(module)
            for module in tracked:
                # In training mode a layer would update its running statistics, unless it does not track them.
                module.track_running_stats = not own_statistics
            with self.average.applied() if self.average else nullcontext():
                yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode
            for module in tracked:
                module.track_running_stats = True

    def _trains(self, module: nn.Module) -> bool:
        if isinstance(module, _BatchNorm):
            return self.settings.normalization == "image"
        return isinstance(module, _DropoutNd) and self.settings.dropout


def predict_any_size(
    predict: Callable[[Tensor], Tensor], image: Float[Tensor, "n c h w"], multiple: int, factor: Fraction = ONE
) -> Float[Tensor, "n d i j"]:
    """Predict an image of any size: replicate-pad it to the generator's multiple, and crop the prediction.

    Args:
        predict: a predictor, or its way back.
        image: what to predict from.
        multiple: of the height and width that networks take.
        factor: how many times as high and wide as the image the prediction is.
    """
    height, width = image.shape[-2:]
    padded = F.pad(image, (0, -width % multiple, 0, -height % multiple), mode="replicate")
    return predict(padded)[..., : math.ceil(height * factor), : math.ceil(width * factor)]
