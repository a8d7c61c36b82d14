"""Store of prepared pairs, or of prepared images of one side: one file with a record of fixed size for each.

<store>/
  form.json      types and shapes of a record's images, the same for all records
  records        of each: checksum, key, images (condition, target and mask of a pair); sparse until it is written

A store's content is a function of its name, so concurrent writers of a record write the same bytes. A record that was
torn by a crash, damaged, or copied from another place or store fails its checksum, and is written again.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import struct
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from genlab.data.pair import Record
from genlab.errors import StorageError
from genlab.util.files import write_text

_HEAD = struct.Struct("<IH250s")
_CHECKSUM_BYTES = 4
_KEY_BYTES = 250
_TYPES = {"uint8", "int32", "float32"}

_log = logging.getLogger("genlab")


@dataclass(frozen=True)
class ArrayLayout:
    """Array layout of every record: of each image a type, such as `uint8`, and a shape."""

    types: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @staticmethod
    def of(record: Record) -> ArrayLayout:
        """Layout of a record's arrays."""
        arrays = [image.numpy() for image in record.images]
        return ArrayLayout(tuple(array.dtype.name for array in arrays), tuple(array.shape for array in arrays))

    @staticmethod
    def read(types: Any, shapes: Any) -> ArrayLayout:
        """Read the form from a file; `ValueError` or `TypeError` if it is invalid."""
        if not {*types} <= _TYPES or not all(isinstance(side, int) and side > 0 for shape in shapes for side in shape):
            raise ValueError("invalid types or shapes")
        if not 0 < len(types) == len(shapes):
            raise ValueError("types and shapes differ in number")
        return ArrayLayout(tuple(types), tuple(map(tuple, shapes)))

    @cached_property
    def sizes(self) -> list[int]:
        """Bytes of each image."""
        return [prod(shape) * np.dtype(kind).itemsize for kind, shape in zip(self.types, self.shapes, strict=True)]

    @property
    def record(self) -> int:
        """Bytes of a record."""
        return _HEAD.size + sum(self.sizes)

    def images(self, body: bytes) -> tuple[Tensor, ...]:
        """Copy a record's images into tensors."""
        starts = accumulate(self.sizes, initial=0)
        return tuple(
            torch.from_numpy(np.frombuffer(bytearray(body[start : start + size]), kind).reshape(shape))
            for start, size, kind, shape in zip(starts, self.sizes, self.types, self.shapes, strict=False)
        )


class PairStore:
    """Records by index. Reading and writing from several threads and processes is safe.

    Args:
        folder: its folder, which exists.
        count: number of records.
        most: maximum size in bytes; records that do not fit are not stored.
    """

    def __init__(self, folder: Path, count: int, most: int) -> None:
        self._folder = folder
        self._count = count
        self._most = most
        self._lock = Lock()
        self._form: ArrayLayout | None = None
        self._failed = False

    def get(self, index: int) -> Record | None:
        """Read a record; None if it is missing or its checksum does not match."""
        form = self._known_form()
        if form is None or index >= self._room(form):
            return None
        record = self._read(index * form.record, form.record)
        if len(record) < form.record:
            return None
        checksum, length, key = _HEAD.unpack_from(record)
        body = record[_HEAD.size :]
        if length == 0 or self._checksum(form, index, record[_CHECKSUM_BYTES:]) != checksum:
            return None
        return Record(key[:length].decode("utf-8", "surrogateescape"), form.images(body))

    def has(self, index: int) -> bool:
        """True if the record was written; a torn record is only detected when it is read."""
        form = self._known_form()
        if form is None or index >= self._room(form):
            return False
        head = self._read(index * form.record, _HEAD.size)
        return len(head) == _HEAD.size and _HEAD.unpack(head)[1] > 0

    def put(self, index: int, record: Record) -> None:
        """Store a record, if it fits and has the form of the others; a write error only causes a warning."""
        key = record.key.encode("utf-8", "surrogateescape")
        if self._failed or not 0 < len(key) <= _KEY_BYTES:
            return
        try:
            form = self._known_form() or self._begin(ArrayLayout.of(record))
            if ArrayLayout.of(record) == form and index < self._room(form):
                self._write(form, index, key, record)
        except (OSError, StorageError) as error:
            self._failed = True
            _log.warning(
                "The cache in %s cannot be written, so pairs are decoded again each time: %s", self._folder, error
            )

    def _read(self, place: int, size: int) -> bytes:
        """Bytes of the records; fewer where the file ends or fails."""
        # Not through mmap, where a full or failing disk would kill the process.
        try:
            with self._records.open("rb", buffering=0) as file:
                file.seek(place)
                return file.read(size)
        except OSError:
            return b""

    @property
    def _records(self) -> Path:
        return self._folder / "records"

    def _room(self, form: ArrayLayout) -> int:
        """Number of records that fit."""
        return min(self._count, self._most // form.record)

    def _known_form(self) -> ArrayLayout | None:
        """Form of the stored records."""
        if self._form is None:
            try:
                known = json.loads((self._folder / "form.json").read_bytes())
                self._form = ArrayLayout.read(known["types"], known["shapes"])
            except (OSError, ValueError, KeyError, IndexError, TypeError):
                return None
        return self._form

    def _begin(self, form: ArrayLayout) -> ArrayLayout:
        with self._lock:
            if known := self._known_form():
                return known
            self._records.touch()
            write_text(self._folder / "form.json", json.dumps({"types": form.types, "shapes": form.shapes}))
        return form

    def _write(self, form: ArrayLayout, index: int, key: bytes, record: Record) -> None:
        body = b"".join(image.contiguous().numpy().tobytes() for image in record.images)
        content = _HEAD.pack(0, len(key), key)[_CHECKSUM_BYTES:] + body
        written = self._checksum(form, index, content).to_bytes(_CHECKSUM_BYTES, "little") + content
        with self._records.open("r+b", buffering=0) as file:
            file.seek(index * form.record)
            if file.write(written) != len(written):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _checksum(self, form: ArrayLayout, index: int, content: bytes) -> int:
        """Checksum of a record, which another store, place or form does not share."""
        return crc32(content, crc32(repr((self._folder.name, form.types, form.shapes, index)).encode()))
