"""Sets of pairs, sound and suspicious, drawn with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab.config.schema import Input
from genlab.interfaces.dataset import ImageSide, LabelSide, Side
from genlab.testing.toys import MemoryPairs

COUNT, SIZE = 16, 64

Array = NDArray[np.generic]
Floats = NDArray[np.float64]


class Kind(NamedTuple):
    """Pairs of one kind, and the settings that they are trained with."""

    a: Sequence[Array]
    b: Sequence[Array]
    sides: tuple[Side, Side] = (ImageSide(), ImageSide())
    settings: Input = Input()

    @property
    def pairs(self) -> MemoryPairs:
        return MemoryPairs(self.a, self.b, self.sides)


def fields(seed: int, bands: int = 1, roughness: float = 1.6, width: int = SIZE) -> list[Floats]:
    """Images from 0 to 1 with the spectrum of photos, cut out of larger ones, as these repeat at their borders."""
    rng, large = np.random.default_rng(seed), 4 * SIZE
    frequency = np.hypot(np.fft.fftfreq(large)[:, None], np.fft.fftfreq(large)[None])
    amplitude = 1 / np.maximum(frequency, 1 / large) ** roughness
    found: list[Floats] = []
    for _ in range(COUNT):
        shared = rng.normal(size=(large, large))
        noise = [shared + 0.3 * rng.normal(size=(large, large)) for _ in range(bands)]
        layers = [np.fft.ifft2(np.fft.fft2(layer) * amplitude).real[:SIZE, :width] for layer in noise]
        image = np.stack(layers, axis=2)
        low, high = image.min(), image.max()
        found.append((image - low) / (high - low))
    return found


def scaled(images: Sequence[Floats], most: int, dtype: type[np.generic]) -> list[Array]:
    return [(image * most).round().astype(dtype) for image in images]


def photos(seed: int, bands: int = 3, width: int = SIZE) -> list[Array]:
    return scaled(fields(seed, bands, width=width), 255, np.uint8)


def shapes(seed: int, classes: int, count: int = 12) -> list[NDArray[np.uint8]]:
    """Maps of classes: boxes over each other."""
    rng = np.random.default_rng(seed)
    found: list[NDArray[np.uint8]] = []
    for _ in range(COUNT):
        image = np.zeros((SIZE, SIZE), np.uint8)
        for _ in range(count):
            (top, left), (height, width) = rng.integers(0, SIZE, 2), rng.integers(8, SIZE // 2, 2)
            image[top : top + height, left : left + width] = rng.integers(classes)
        found.append(image)
    return found


def masks(seed: int, value: int, share: float = 1.0) -> list[Array]:
    """Maps of a box each, or of none in all but a share of them."""
    rng = np.random.default_rng(seed)
    boxes = [(image == 1)[..., None] * np.uint8(value) for image in shapes(seed, 2, 3)]
    return [box if rng.random() < share else np.zeros_like(box) for box in boxes]


def spots(seed: int) -> list[Array]:
    """Maps of one white pixel in every fifth image."""
    images = list(np.zeros((COUNT, SIZE, SIZE, 1), np.uint8))
    rng = np.random.default_rng(seed)
    for image in images[::5]:
        image[tuple(rng.integers(0, SIZE, 2))] = 255
    return images


def gutter(images: Sequence[Array], first: int, last: int | None) -> list[Array]:
    found = [image.copy() for image in images]
    for image in found:
        image[:, first:last] = 255
    return found


def gray(dtype: str | None = None, range: tuple[float, float] | None = None, bands: int = 1) -> ImageSide:
    return ImageSide(bands, range, dtype)


def with_border(images: Sequence[Array], value: int = 255, width: int = 10) -> list[Array]:
    found = [image.copy() for image in images]
    for image in found:
        image[:, :width] = image[:, -width:] = value
    return found


def outlines(seed: int) -> list[Array]:
    """Black lines on white: borders of boxes."""
    found: list[Array] = []
    for image in shapes(seed, 5, 4):
        inside = image.astype(int)
        lines = (np.diff(inside, axis=0, prepend=0) != 0) | (np.diff(inside, axis=1, prepend=0) != 0)
        found.append(np.where(lines, 0, 255).astype(np.uint8)[..., None])
    return found


def smooth_lines(seed: int) -> list[Array]:
    """Drawings with smooth edges in four levels of gray."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    found: list[Array] = []
    for _ in range(COUNT):
        image = np.ones((SIZE, SIZE))
        for _ in range(5):
            angle, place = rng.random() * np.pi, rng.random() * SIZE
            distance = np.abs(np.cos(angle) * (columns - place) + np.sin(angle) * (rows - place))
            image = np.minimum(image, np.clip(distance - 1, 0, 1))
        found.append((image * 3).round().astype(np.uint8)[..., None] * np.uint8(85))
    return found


def nights(seed: int) -> list[Array]:
    """Dark photos with a few lights."""
    rng = np.random.default_rng(seed)
    found = scaled([image * 0.12 for image in fields(seed, 3)], 255, np.uint8)
    for image in found:
        for top, left in rng.integers(0, SIZE - 4, (6, 2)):
            image[top : top + 4, left : left + 4] = rng.integers(120, 255)
    return found


def horizons(seed: int) -> list[Array]:
    """Scenes before a background that is the same in all columns, and ends at the borders."""
    background = np.linspace(230, 40, SIZE)[:, None, None].repeat(SIZE, axis=1).repeat(3, axis=2)
    found: list[Array] = []
    for field in photos(seed):
        image = background.copy()
        image[20:50, 16:48] = field[20:50, 16:48]
        found.append(image.astype(np.uint8))
    return found


def elevations(seed: int) -> list[Array]:
    return [(1200 + 900 * image).astype(np.float32) for image in fields(seed, roughness=2.0)]


def maps(seed: int) -> list[Array]:
    colors = np.random.default_rng(seed).integers(0, 255, (6, 3)).astype(np.uint8)
    return [colors[image] for image in shapes(seed, 6)]


def noise(seed: int) -> list[Array]:
    return list(np.random.default_rng(seed).integers(0, 256, (COUNT, SIZE, SIZE, 3), dtype=np.uint8))


PALETTE = tuple((20 * number, 255 - 20 * number, 0) for number in range(12))

SOUND: dict[str, Callable[[], Kind]] = {
    "photos and other photos": lambda: Kind(photos(1), photos(2)),
    "photos and the same, brighter": lambda: Kind(photos(1), [image // 2 + 120 for image in photos(1)]),
    "white borders on both sides": lambda: Kind(with_border(photos(3)), with_border(photos(4))),
    "gray photos": lambda: Kind(photos(5, 1), photos(6, 1), (gray(), gray())),
    "nights and days": lambda: Kind(nights(7), photos(7)),
    "outlines and shoes on white": lambda: Kind(outlines(8), with_border(photos(8)), (gray(), ImageSide())),
    "drawings in four levels": lambda: Kind(smooth_lines(9), photos(9), (gray(), ImageSide())),
    "depth of 16 bits": lambda: Kind(
        photos(10), scaled(fields(11, roughness=2.0), 52_000, np.uint16), (ImageSide(), gray("uint16"))
    ),
    "aerial photos and maps": lambda: Kind(photos(12), maps(12)),
    "scans of 16 bits": lambda: Kind(
        scaled(fields(13), 65_535, np.uint16), scaled(fields(14), 65_535, np.uint16), (gray("uint16"), gray("uint16"))
    ),
    "elevations of floats": lambda: Kind(
        photos(15), elevations(15), (ImageSide(), gray("float32")), Input(range_b=(1000, 2500))
    ),
    "12 bits that are declared": lambda: Kind(
        scaled(fields(16), 4095, np.uint16),
        photos(16),
        (gray("uint16"), ImageSide()),
        Input(range_a=(0, 4095)),
    ),
    "eight bands of reflectance": lambda: Kind(
        scaled(fields(17, 8), 10_000, np.uint16), photos(17), (gray("uint16", bands=8), ImageSide())
    ),
    "label maps": lambda: Kind(photos(18), shapes(18, 12), (ImageSide(), LabelSide(PALETTE))),
    "noise": lambda: Kind(noise(19), noise(20)),
    "masks of 0 and 255, most of them empty": lambda: Kind(
        photos(21), masks(21, 255, share=0.3), (ImageSide(), gray())
    ),
    "masks of 0 and 255 in a few pixels": lambda: Kind(photos(26), spots(26), (ImageSide(), gray())),
    "photos and the same": lambda: Kind(photos(27), photos(27)),
    "a white gutter between the sides": lambda: Kind(gutter(photos(28), -8, None), gutter(photos(29), 0, 8)),
    "heights in steps": lambda: Kind(
        photos(30),
        [image // 40 * 40 for image in scaled(fields(30, roughness=3.0), 255, np.uint8)],
        (ImageSide(), gray()),
    ),
    "floats with a tenth beyond their range": lambda: Kind(
        photos(30), elevations(30), (ImageSide(), gray("float32")), Input(range_b=(1350, 1950))
    ),
    "scenes before the same background": lambda: Kind(horizons(22), horizons(23)),
    "gray photos of 16 levels": lambda: Kind(
        [image // 16 * 17 for image in photos(24, 1)], photos(25, 1), (gray(), gray())
    ),
}


def halves(pictures: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    half = pictures[0].shape[1] // 2
    return [image[:, :half] for image in pictures], [image[:, half:] for image in pictures]


def with_hot_pixel(images: Sequence[Array]) -> list[Array]:
    for image in images:
        image[5, 5] = 65_535
    return list(images)


class Suspicious(NamedTuple):
    """Pairs, and words of what is said about them."""

    make: Callable[[], Kind]
    words: tuple[str, ...]


def with_no_data(images: Sequence[Array], value: float) -> list[Array]:
    for image in images:
        image[:6, :9] = value
    return list(images)


SUSPICIOUS: dict[str, Suspicious] = {
    "heights with -9999 for no data": Suspicious(
        lambda: Kind(
            photos(61),
            with_no_data(elevations(61), -9999),
            (ImageSide(), gray("float32")),
            Input(range_b=(-9999, 2500)),
        ),
        ("side b are -9999", "input.range_b without it"),
    ),
    "16 bits with 65535 for no data": Suspicious(
        lambda: Kind(
            with_no_data(scaled(fields(62), 20_000, np.uint16), 65_535), photos(62), (gray("uint16"), ImageSide())
        ),
        ("side a are 65535",),
    ),
    "16 bits far from both ends": Suspicious(
        lambda: Kind(
            [image + np.uint16(40_000) for image in scaled(fields(63), 2_000, np.uint16)],
            photos(63),
            (gray("uint16"), ImageSide()),
        ),
        ("side a uses 2.9%", "input.range_a = [40048, 41965]"),
    ),
    "pressures of floats": Suspicious(
        lambda: Kind(
            photos(64),
            [(101_325 + 100 * image).astype(np.float32) for image in fields(64)],
            (ImageSide(), gray("float32")),
            Input(range_b=(0, 200_000)),
        ),
        ("side b uses", "input.range_b = [1013", ", 1014"),
    ),
    "label maps of one class": Suspicious(
        lambda: Kind(photos(65), [image * 0 for image in shapes(65, 12)], (ImageSide(), LabelSide(PALETTE))),
        ("every pixel of side b is of class 0",),
    ),
    "12 bits in 16": Suspicious(
        lambda: Kind(scaled(fields(31), 4_000, np.uint16), photos(31), (gray("uint16"), ImageSide())),
        ("side a uses 5.", "0 to 65535", "input.range_a = [0, 4095]"),
    ),
    "12 bits in 16 with a hot pixel": Suspicious(
        lambda: Kind(photos(32), with_hot_pixel(scaled(fields(32), 4_000, np.uint16)), (ImageSide(), gray("uint16"))),
        ("side b uses", "input.range_b = [0, 4095]"),
    ),
    "masks of 0 and 1": Suspicious(
        lambda: Kind(photos(33), masks(33, 1), (ImageSide(), gray())),
        ("side b uses 0.39%", "input.range_b = [0, 1]", "labels_from_values"),
    ),
    "masks of 0 and 1, most of them empty": Suspicious(
        lambda: Kind(photos(34), masks(34, 1, share=0.3), (ImageSide(), gray())), ("side b uses 0.39%",)
    ),
    "class indices": Suspicious(
        lambda: Kind(photos(35), [image[..., None] for image in shapes(35, 12)], (ImageSide(), gray())),
        ("side b has only the values 0, 1, 2, 3, 4, 5, ... 11", "labels_from_values"),
    ),
    "class indices with 255 for what is ignored": Suspicious(
        lambda: Kind(
            [np.where(image == 3, 255, image)[..., None].astype(np.uint8) for image in shapes(36, 4)],
            photos(36),
            (gray(), ImageSide()),
        ),
        ("side a has only the values 0, 1, 2, 255",),
    ),
    "class indices as levels of gray": Suspicious(
        lambda: Kind(photos(37), [image[..., None] * np.uint8(50) for image in shapes(37, 6)], (ImageSide(), gray())),
        ("side b has only the values 0, 50, 100",),
    ),
    "class indices of 16 bits": Suspicious(
        lambda: Kind(
            photos(38), [image[..., None].astype(np.uint16) * 1000 for image in shapes(38, 9)], (ImageSide(), gray())
        ),
        ("side b has only the values 0, 1000",),
    ),
    "halves of photos": Suspicious(
        lambda: Kind(*halves(photos(39, width=2 * SIZE))), ("side b continues side a", "side_by_side")
    ),
    "halves of gray photos of 16 bits": Suspicious(
        lambda: Kind(*halves(scaled(fields(40, width=2 * SIZE), 65_535, np.uint16)), (gray("uint16"), gray("uint16"))),
        ("side b continues side a",),
    ),
    "floats of 0 to 255 in a range of 0 to 1": Suspicious(
        lambda: Kind(
            [np.float32(image * 255) for image in fields(41, 3)],
            photos(41),
            (gray("float32", bands=3), ImageSide()),
            Input(range_a=(0, 1)),
        ),
        ("of side a is beyond its range, 0 to 1", "input.range_a"),
    ),
    "one value everywhere": Suspicious(
        lambda: Kind(photos(42), [np.full((SIZE, SIZE, 3), 7, np.uint8)] * COUNT), ("every value of side b is 7",)
    ),
}
