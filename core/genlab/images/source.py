"""Encoded images: files, or bytes in a table."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from genlab.errors import DataError


class ImageSource(NamedTuple):
    """Source of an encoded image.

    Args:
        data: its file, or its bytes.
        where: display name.
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
        self.require_file()
        try:
            return self.data.read_bytes()
        except OSError as error:
            raise self._unreadable(error) from error

    def start(self, count: int) -> bytes:
        """The first encoded bytes; `DataError` if the file cannot be read."""
        if isinstance(self.data, bytes):
            return self.data[:count]
        self.require_file()
        try:
            with self.data.open("rb") as file:
                return file.read(count)
        except OSError as error:
            raise self._unreadable(error) from error

    def opened(self) -> Path | BytesIO:
        """The file's path, or a stream of the bytes."""
        return BytesIO(self.data) if isinstance(self.data, bytes) else self.data

    def require_file(self) -> None:
        """Reject anything but regular files: reading a named pipe would block forever."""
        # Methods of `Path` raise where a folder may not be entered.
        if isinstance(self.data, Path) and os.path.exists(self.data) and not os.path.isfile(self.data):  # noqa: PTH110, PTH113
            raise DataError("not a regular file", where=self.where)

    def _unreadable(self, error: OSError) -> DataError:
        return DataError(f"the file cannot be read: {error.strerror}", where=self.where)
