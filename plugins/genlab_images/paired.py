"""Pairs of two encoded images each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from typing_extensions import override

from genlab import DataError, ImageHeader, ImageSource, Pair, Pairs, PixelType, SideImage, SideName
from genlab_images.fingerprint import hash_of_pairs
from genlab_images.reading import Reading, side_of


class EncodedPair(NamedTuple):
    """Two images, not decoded yet, and the pair's unique key."""

    key: str
    a: ImageSource
    b: ImageSource


def counted(count: int, noun: str = "pair") -> str:
    """A number of pairs, or of other things, in words."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


class PairedImages(Pairs):
    """Pairs that are decoded when asked for; their headers are all checked at once.

    Args:
        encoded: the pairs, at least one.
        description: one line for a person.
        reading: how images are read.
        left_out: names of files among the data that are not read, by kind.

    Raises:
        DataError: an image cannot be read, has a size that is no multiple of its partner's, or pixels of another type
            than its side's first.
    """

    def __init__(
        self,
        encoded: Sequence[EncodedPair],
        description: str,
        reading: Reading,
        left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        self.encoded = encoded
        self.reading = reading
        self.pixels, self._sizes, note = _check(encoded, reading)
        a, b = map(side_of, self.pixels)
        super().__init__(a, b, f"{description}{note}", left_out)

    @override
    def __len__(self) -> int:
        return len(self.encoded)

    @override
    def __getitem__(self, index: int) -> Pair:
        key, a, b = self.encoded[index]
        pixels_a, pixels_b = self.pixels
        return Pair(key, self.reading.image(a, pixels_a), self.reading.image(b, pixels_b))

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        """One image of a pair, without decoding the other."""
        encoded = self.encoded[index]
        return SideImage(encoded.key, self.reading.image(getattr(encoded, side), self.pixels[side == "b"]))

    @override
    def fingerprint(self) -> str:
        """A hash of the keys and the encoded bytes."""
        return hash_of_pairs((key, (a, b)) for key, a, b in self.encoded)

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those in the headers of a side."""
        return self._sizes[side]


def _check(
    encoded: Sequence[EncodedPair], reading: Reading
) -> tuple[tuple[PixelType, PixelType], dict[SideName, list[tuple[int, int]]], str]:
    """The type of each side's pixels, their images' sizes, and what to say of them."""
    headers = reading.headers([source for pair in encoded for source in (pair.a, pair.b)])
    sides_a, sides_b = headers[::2], headers[1::2]
    hint = "Both images of a pair need the same size, pixel for pixel, or one is an exact multiple (input.scale)."
    unequal = [
        DataError(f"the image is {a.size}, and its partner {b.where} is {b.size}", where=a.where, hint=hint)
        for a, b in zip(sides_a, sides_b, strict=True)
        if not _fit(a, b)
    ]
    if unequal:
        raise DataError.listing(unequal, f"of {len(encoded):,} pairs")
    pixels = (reading.pixels(sides_a), reading.pixels(sides_b))
    sizes: dict[SideName, list[tuple[int, int]]] = {"a": sizes_of(sides_a), "b": sizes_of(sides_b)}
    return pixels, sizes, reading.note([*sides_a, *sides_b])


def sizes_of(headers: Iterable[ImageHeader]) -> list[tuple[int, int]]:
    """Heights and widths in images' headers."""
    return [(header.height, header.width) for header in headers]


def _fit(a: ImageHeader, b: ImageHeader) -> bool:
    """True if both have one size, or one is a whole number of times as high and wide as the other."""
    small, large = sorted(((a.height, a.width), (b.height, b.width)))
    factor = large[0] // small[0]
    return large == (factor * small[0], factor * small[1])
