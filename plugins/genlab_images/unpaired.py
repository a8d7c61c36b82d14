"""Encoded images of two sides that are no pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from typing_extensions import override

from genlab import ImageSource, SideImage, SideName, Unpaired
from genlab_images.fingerprint import hash_of_pairs
from genlab_images.paired import sizes_of
from genlab_images.reading import Reading, side_of


class UnpairedImages(Unpaired):
    """Images that are decoded when asked for; their headers are all checked at once.

    Args:
        files: by side, images by their keys, at least one.
        description: one line for a person.
        reading: how images are read.
        left_out: names of files among the data that are not read, by kind.

    Raises:
        DataError: an image cannot be read, or has pixels of another type than its side's first.
    """

    def __init__(
        self,
        files: Mapping[SideName, Mapping[str, Path]],
        description: str,
        reading: Reading,
        left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        self.sources = {
            side: [(key, ImageSource.of(file)) for key, file in named.items()] for side, named in files.items()
        }
        self.reading = reading
        headers = {side: reading.headers([source for _, source in found]) for side, found in self.sources.items()}
        self.pixels = {side: reading.pixels(found) for side, found in headers.items()}
        self._sizes = {side: sizes_of(found) for side, found in headers.items()}
        a, b = (side_of(self.pixels[side]) for side in ("a", "b"))
        note = reading.note([header for found in headers.values() for header in found])
        super().__init__(a, b, f"{description}{note}", left_out)

    @override
    def count_of(self, side: SideName) -> int:
        return len(self.sources[side])

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        key, source = self.sources[side][index]
        return SideImage(key, self.reading.image(source, self.pixels[side]))

    @override
    def fingerprint(self) -> str:
        """A hash of the keys and the encoded bytes."""
        return hash_of_pairs((f"{side} {key}", [source]) for side in self.sources for key, source in self.sources[side])

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those in the headers of a side."""
        return self._sizes[side]
