"""Pairs of two encoded images each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from typing_extensions import override

from genlab import DataError, ImageSide, Pair, Pairs
from genlab_images.decode import ImageMode, common_form, decode, read_header
from genlab_images.source import ImageSource, hash_of_pairs


class EncodedPair(NamedTuple):
    """Two images of one size, not decoded yet, and the pair's unique key."""

    key: str
    a: ImageSource
    b: ImageSource


def count_of_pairs(count: int) -> str:
    """A number of pairs in words."""
    return "1 pair" if count == 1 else f"{count} pairs"


class PairedImages(Pairs):
    """Pairs that are decoded when asked for; their headers are all checked at once.

    Args:
        encoded: the pairs, at least one.
        description: one line for a person.

    Raises:
        DataError: an image cannot be read, has another size than its partner, or another form than its side's first.
    """

    def __init__(self, encoded: Sequence[EncodedPair], description: str) -> None:
        self.encoded = encoded
        self.forms = _check(encoded)
        a, b = (ImageSide(channels=form.channels) for form in self.forms)
        super().__init__(a, b, description)

    @override
    def __len__(self) -> int:
        return len(self.encoded)

    @override
    def __getitem__(self, index: int) -> Pair:
        key, a, b = self.encoded[index]
        form_a, form_b = self.forms
        return Pair(key, decode(a, form_a), decode(b, form_b))

    @override
    def fingerprint(self) -> str:
        """A hash of the keys and the encoded bytes."""
        return hash_of_pairs((key, (a, b)) for key, a, b in self.encoded)


def _check(encoded: Sequence[EncodedPair]) -> tuple[ImageMode, ImageMode]:
    headers = [(read_header(pair.a), read_header(pair.b)) for pair in encoded]
    for a, b in headers:
        if a.size != b.size:
            what = f"the image is {a.size}, and its partner {b.where} is {b.size}"
            raise DataError(what, where=a.where, hint="Both images of a pair need the same size, pixel for pixel.")
    return common_form([a for a, _ in headers]), common_form([b for _, b in headers])
