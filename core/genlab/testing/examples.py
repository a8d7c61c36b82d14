"""Images to test with: the same each time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from genlab.interfaces.batch import Batch
from genlab.interfaces.predictions import Predictions

CLASSES = 5


def images(count: int, channels: int, height: int, width: int, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """Noise over the whole of [-1, 1]."""
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, height, width, generator=rng) * 2 - 1


def smooth_images(count: int, channels: int, size: int, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """Soft blobs, as photos have, in [-1, 1]."""
    small = images(count, channels, 4, 4, seed)
    return F.interpolate(small, (size, size), mode="bilinear", align_corners=True)


def example_classes(count: int, size: int, seed: int = 0) -> Float[Tensor, "n 5 h w"]:
    """A map of classes with one channel a class, 0 and 1; every class is there."""
    rng = torch.Generator().manual_seed(seed)
    drawn = torch.randint(CLASSES, (count, size, size), generator=rng)
    drawn.view(count, -1)[:, :CLASSES] = torch.arange(CLASSES)
    return F.one_hot(drawn, CLASSES).permute(0, 3, 1, 2).float().contiguous()


def batch(predictions: Predictions, count: int = 2, size: int = 32, seed: int = 0) -> Batch:
    """Conditions and targets of a method that predicts images or classes, three channels in."""
    condition = smooth_images(count, 3, size, seed)
    target = example_classes(count, size, seed) if predictions == "classes" else smooth_images(count, 3, size, seed + 1)
    return Batch(condition, target)


def perfect(target: Float[Tensor, "n d h w"], predictions: Predictions) -> Float[Tensor, "n d h w"]:
    """The prediction that a target calls for: itself, or scores that leave no doubt."""
    return 40 * target - 20 if predictions == "classes" else target.clone()


def wrong(target: Float[Tensor, "n d h w"], predictions: Predictions, seed: int = 9) -> Float[Tensor, "n d h w"]:
    """A prediction that has nothing to do with the target."""
    noise = images(*target.shape, seed=seed)
    return 5 * noise if predictions == "classes" else noise
