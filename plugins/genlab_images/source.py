"""One encoded image: a file, or the bytes that a table holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from genlab import DataError


class ImageSource(NamedTuple):
    """Source of an encoded image.

    Args:
        data: its file, or its bytes.
        where: how to name it to a person.
    """

    data: Path | bytes
    where: str

    @classmethod
    def of(cls, path: Path) -> ImageSource:
        """The image of a file."""
        return cls(path, str(path))

    def read(self) -> bytes:
        """The encoded bytes; `DataError` if the file cannot be read."""
        if isinstance(self.data, bytes):
            return self.data
        try:
            return self.data.read_bytes()
        except OSError as error:
            raise DataError(f"the file cannot be read: {error.strerror}", where=self.where) from error


def hash_of_pairs(pairs: Iterable[tuple[str, Sequence[ImageSource]]]) -> str:
    """A hash of the pairs' keys and encoded bytes, in order; equal wherever they lie."""
    digest = hashlib.sha256()
    for key, sources in pairs:
        digest.update(hashlib.sha256(key.encode()).digest())
        for source in sources:
            digest.update(hashlib.sha256(source.read()).digest())
    return digest.hexdigest()
