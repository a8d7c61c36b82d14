"""Read-through cache of prepared records: in memory, in the machine's store, or decoded."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import torch

from genlab.data.device import moved
from genlab.data.pair import Record
from genlab.data.pair_store import PairStore


class ReadThroughCache:
    """Records by index. Reading from several threads is safe.

    Args:
        decode: reads and prepares one; `DataError` if it cannot be read.
        store: persistent cache; records in it are not decoded again.
        most: maximum size in bytes of those that stay in memory.
        device: device of the tensors.
    """

    def __init__(
        self, decode: Callable[[int], Record], store: PairStore | None, most: int, device: torch.device
    ) -> None:
        self._decode = decode
        self._store = store
        self._room = most
        self._device = device
        self._memory: dict[int, Record] = {}
        self._lock = Lock()

    def __getitem__(self, index: int) -> Record:
        if (kept := self._memory.get(index)) is not None:
            return kept
        key, images = self._stored(index) or self._decoded(index)
        record = Record(key, tuple(moved(image, self._device) for image in images))
        self._keep(index, record)
        return record

    def require(self, index: int) -> bool:
        """Read a record, unless the store has it; True if it was read, and `DataError` if it cannot be."""
        if self._store and self._store.has(index):
            return False
        self[index]
        return True

    def _stored(self, index: int) -> Record | None:
        return self._store.get(index) if self._store else None

    def _decoded(self, index: int) -> Record:
        record = self._decode(index)
        if self._store:
            self._store.put(index, record)
        return record

    def _keep(self, index: int, record: Record) -> None:
        with self._lock:
            if index not in self._memory and record.nbytes <= self._room:
                self._memory[index] = record
                self._room -= record.nbytes
