"""One side of pairs, from the stored array to what networks see.

Stored arrays become tensors (channels, height, width): images on a scale of 0 to 255, as uint8 where they were uint8
and as float32 otherwise; label maps as class indices with one channel, the ignored value as the index after the last
class. They stay so while they are resized, cropped and flipped, and become floats in [-1, 1] at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from torch import Tensor

from genlab.errors import DataError
from genlab.interfaces.dataset import ImageSide, LabelSide, Palette, Side


@dataclass(frozen=True)
class OneHotLabels:
    """A label map that networks see one-hot, with one channel per class, instead of in its palette's colors.

    Pixels of the ignored value are 0 in all channels.
    """

    palette: Palette
    ignore: int | None = None


TensorSpec = Side | OneHotLabels

MASK = LabelSide(((0, 0, 0), (255, 255, 255)))
"""Masks, as label maps."""

IGNORED_COLOR = (224, 224, 192)
"""Color of pixels of no class: that of "void" in PASCAL VOC, which none of its first 255 classes has."""


def channels_of(side: TensorSpec) -> int:
    """Number of channels that the networks see."""
    match side:
        case ImageSide():
            return side.channels
        case OneHotLabels():
            return len(side.palette)
        case LabelSide():
            return 3


def ignored_class(side: TensorSpec) -> int | None:
    """Index in tensors of the pixels of no class: the one after the last class; None where all pixels have one."""
    return None if isinstance(side, ImageSide) or side.ignore is None else len(side.palette)


def shown_palette(side: LabelSide | OneHotLabels) -> Palette:
    """Color of each index in tensors."""
    return side.palette if side.ignore is None else (*side.palette, IGNORED_COLOR)


def to_tensor(array: NDArray[np.generic], side: TensorSpec, key: str) -> Shaped[Tensor, "c h w"]:
    """Convert a stored array to a tensor; `DataError` if it does not match its side's declaration."""
    if not isinstance(side, ImageSide):
        return _labels(array, side, key)
    if array.ndim != 3 or array.shape[2] != side.channels:
        what = f"expected an image of {side.channels} channels as declared, got an array of shape {array.shape}"
        raise DataError(what, where=key)
    if side.dtype is not None and array.dtype.name != side.dtype:
        raise DataError(f"expected values of {side.dtype} as declared, got {array.dtype}", where=key)
    low, high = value_range(array.dtype.name, side.range, key)
    if array.dtype == np.uint8 and (low, high) == (0, 255):
        return _copy(array.transpose(2, 0, 1))
    # In double precision, so that the ends of the range become -1 and 1 exactly.
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = ((array.astype(np.float64) - low) * (255.0 / (high - low))).astype(np.float32)
    if not np.isfinite(scaled).all():
        what = f"some of its values are not finite, or far beyond the range of {low:g} to {high:g}"
        hint = "Replace such values: NaN, infinity, or what stands for no data, such as -3.4e38."
        raise DataError(what, where=key, hint=hint)
    return _copy(scaled.transpose(2, 0, 1))


def value_range(dtype: str, declared: tuple[float, float] | None, where: str) -> tuple[float, float]:
    """Values of black and of full intensity: as declared, or of the unsigned integer type.

    Args:
        dtype: NumPy's name of the values' type.
        declared: a side's range.
        where: what has such values.

    Raises:
        DataError: an image has no such values, or a range would have to be declared.
    """
    kind, size = np.dtype(dtype).kind, np.dtype(dtype).itemsize
    if kind not in "uif" or (kind != "f" and size > 4):
        raise DataError(f"expected an image of integers of up to 32 bits, or of floats, got {dtype}", where=where)
    if declared is not None:
        return declared
    if kind != "u":
        hint = "Set input.range_a or input.range_b, that of this side, to [low, high] or { percentiles = [0.1, 99.9] }."
        what = f"values of {dtype} need a range: the values of black and of full intensity"
        raise DataError(what, where=where, hint=hint)
    return 0.0, float(np.iinfo(dtype).max)


def _labels(array: NDArray[np.generic], side: LabelSide | OneHotLabels, key: str) -> Shaped[Tensor, "1 h w"]:
    if array.ndim != 2 or array.dtype.kind != "u" or array.dtype.itemsize > 2:
        what = f"expected a label map (height, width) of uint8 or uint16, got {array.dtype} {array.shape}"
        raise DataError(what, where=key)
    if side.ignore is not None:
        array = np.where(array == side.ignore, np.uint32(len(side.palette)), array)
    count = len(shown_palette(side))
    if (highest := int(array.max())) >= count:
        raise DataError(f"class {highest} has no color: the palette has {len(side.palette)}", where=key)
    return _copy(array.astype(np.uint8 if count <= 256 else np.int32))[None]


def _copy(array: NDArray[np.generic]) -> Tensor:
    """Copy to a tensor: a dataset may give a view, a read-only array, or a reused buffer."""
    return torch.from_numpy(np.array(array, order="C"))


def resize(image: Shaped[Tensor, "c h w"], side: TensorSpec, size: tuple[int, int]) -> Shaped[Tensor, "c h2 w2"]:
    """Resize to a height and width: bilinear with antialiasing, or nearest neighbor for labels."""
    if image.shape[-2:] == size:
        return image
    if not isinstance(side, ImageSide):
        return F.interpolate(image[None].float(), size, mode="nearest-exact")[0].to(image.dtype)
    if 1 in size and not image.is_floating_point():  # which PyTorch's kernel for bytes fails on
        return resize(image.float(), side, size).round().to(image.dtype)
    return F.interpolate(image[None], size, mode="bilinear", antialias=True)[0]


def to_network(batch: Shaped[Tensor, "n c h w"], side: TensorSpec) -> Float[Tensor, "n d h w"]:
    """Normalize to floats: images and colored labels to [-1, 1] from black to full intensity, one-hot to 0 and 1."""
    if isinstance(side, OneHotLabels):
        classes = F.one_hot(batch[:, 0].long(), len(shown_palette(side)))[..., : len(side.palette)]
        return classes.permute(0, 3, 1, 2).float().contiguous()
    if isinstance(side, LabelSide):
        batch = _colors(shown_palette(side), batch.device)[batch[:, 0].long()].permute(0, 3, 1, 2).contiguous()
    return batch.float().div(127.5).sub(1.0)


@lru_cache
def _colors(palette: Palette, device: torch.device) -> Float[Tensor, "classes 3"]:
    """Palette on a device (cached): a copy each time would stall a GPU."""
    return torch.tensor(palette, dtype=torch.float32, device=device)


def to_bytes(image: Float[Tensor, "c h w"]) -> NDArray[np.uint8]:
    """Convert an image in [-1, 1] to (height, width, channels) uint8."""
    scaled = image.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()


def to_array(image: Float[Tensor, "c h w"], side: ImageSide) -> NDArray[np.generic]:
    """Convert an image in [-1, 1] to an array (height, width, channels) with the type and range of a side.

    Integers are rounded, and clipped to their type.
    """
    dtype = np.dtype(side.dtype or "uint8")
    low, high = value_range(dtype.name, side.range, "the prediction")
    if dtype == np.uint8 and (low, high) == (0, 255):
        return to_bytes(image)
    # In double precision, so that 32-bit integers are rounded once.
    values = image.detach().double().add(1.0).mul((high - low) / 2).add(low).permute(1, 2, 0).cpu().numpy()
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return values.round().clip(limits.min, limits.max).astype(dtype)


def classes_of_colors(image: NDArray[np.generic], side: LabelSide | OneHotLabels) -> NDArray[np.unsignedinteger] | None:
    """The label map, (height, width), of an image (height, width, 3) of exactly its palette's colors.

    None if it has others, as one that JPEG has blurred.
    """
    if image.dtype != np.uint8 or image.shape[2:] != (3,):
        return None
    weights = np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors, pixels = np.array(shown_palette(side), np.uint32) @ weights, image.astype(np.uint32) @ weights
    order = np.argsort(colors, kind="stable")
    places = np.searchsorted(colors, pixels, sorter=order).clip(max=len(colors) - 1)
    classes = order[places]
    if not np.array_equal(colors[classes], pixels):
        return None
    if side.ignore is not None:
        classes[classes == len(side.palette)] = side.ignore
    return classes.astype(np.uint8 if classes.max() <= 255 else np.uint16)


def to_classes(scores: Float[Tensor, "c h w"]) -> NDArray[np.unsignedinteger]:
    """The class of the highest score at each pixel, (height, width), as a label map is stored."""
    classes = scores.detach().argmax(dim=0).cpu().numpy()
    return classes.astype(np.uint8 if scores.shape[0] <= 256 else np.uint16)
