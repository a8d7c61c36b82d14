"""Content-addressed cache of prepared pairs: a pair is decoded and resized once for all recipes and runs.

Environment variables: `GENLAB_CACHE` is its folder, or `off`; `GENLAB_CACHE_GIB` is its maximum size.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path
from pydantic_core import from_json, to_json

from genlab.data.pair_store import PairStore
from genlab.errors import StorageError
from genlab.util.files import storage_errors, write_text

GIB = 2**30
_DEFAULT_GIB = 20.0
_MOST_GIB = 2.0**30
_ABOUT, _NAME = "about.json", r"[0-9a-f]{32}"


@dataclass(frozen=True)
class Entry:
    """Cached pairs of one split at one size.

    Args:
        name: name of its folder, a hash of everything that its content depends on.
        description: one line for users.
        bytes: disk usage.
        used: time of last use, in seconds since 1970.
    """

    name: str
    description: str
    bytes: int
    used: float


@dataclass(frozen=True)
class CacheContent:
    """Content of the cache, and the part that belongs to a recipe.

    Args:
        folder: where it is.
        most: how many bytes it may take.
        mine: the entries of the recipe.
        others: all other entries.
    """

    folder: str
    most: int
    mine: tuple[Entry, ...]
    others: tuple[Entry, ...]


class Cache:
    """Folder of pair stores, one per split, size and way to read it; least recently used stores are evicted.

    Args:
        folder: where it is.
        most: maximum size in bytes. A new store evicts the least recently used ones.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self.most = most

    @staticmethod
    def of_this_machine() -> Cache | None:
        """The cache that the environment variables name; None if it is switched off."""
        named = os.environ.get("GENLAB_CACHE", "")
        if named == "off":
            return None
        folder = Path(named) if named else user_cache_path("genlab") / "pairs"
        return Cache(folder, int(_gibibytes() * GIB))

    def store(self, content: Mapping[str, object], count: int, description: str, share: float = 1.0) -> PairStore:
        """Open the store for `count` pairs with the key `content`.

        Its maximum size is a share of the free space, as a run fills several stores.

        Raises:
            StorageError: nothing can be written there.
        """
        name = name_of(content)
        folder = self.folder / name
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if _description(folder) is None:
                write_text(folder / _ABOUT, to_json({"description": description}).decode())
            os.utime(folder / _ABOUT)
            return PairStore(folder, count, int(self._room(name) * share))

    def entries(self) -> list[Entry]:
        """Entries, last used first; unrelated folders are ignored."""
        found: list[Entry] = []
        for folder in self.folder.glob("*"):
            with suppress(OSError):
                if re.fullmatch(_NAME, folder.name) and (folder / _ABOUT).exists():
                    description = _description(folder) or "unknown"
                    used = (folder / _ABOUT).stat().st_mtime
                    found.append(Entry(folder.name, description, _size(folder), used))
        return sorted(found, key=lambda entry: -entry.used)

    def content(self, contents: Iterable[Mapping[str, object]]) -> CacheContent:
        """Describe all entries, and those of the given keys."""
        names = {name_of(content) for content in contents}
        entries = self.entries()
        mine = tuple(entry for entry in entries if entry.name in names)
        return CacheContent(
            str(self.folder), self.most, mine, tuple(entry for entry in entries if entry.name not in names)
        )

    def remove(self, name: str) -> None:
        """Remove a store; a run that uses it continues, and decodes pairs again."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def _room(self, name: str) -> int:
        """Evict least recently used stores; returns the bytes available to the store of that name."""
        others = [entry for entry in self.entries() if entry.name != name]
        size = sum(entry.bytes for entry in others)
        mine = _size(self.folder / name)
        # Stores opened in the last minute may be about to be filled.
        recent = time.time() - 60
        for entry in reversed(others):
            if size + mine <= self.most:
                break
            if entry.used < recent:
                self.remove(entry.name)
                size -= entry.bytes
        return max(self.most - size, 0)


def name_of(content: Mapping[str, object]) -> str:
    """Content hash of everything that pairs depend on."""
    return hashlib.sha256(to_json(dict(sorted(content.items())))).hexdigest()[:32]


def _description(folder: Path) -> str | None:
    """Description stored with a pair store; None if it cannot be read."""
    try:
        about = from_json((folder / _ABOUT).read_bytes())
    except (OSError, ValueError):
        return None
    return str(about["description"]) if isinstance(about, dict) and "description" in about else None


def _gibibytes() -> float:
    given = os.environ.get("GENLAB_CACHE_GIB", "")
    try:
        size = float(given) if given else _DEFAULT_GIB
    except ValueError:
        size = -1.0
    if not 0 <= size <= _MOST_GIB:
        raise StorageError(
            f"expected a number of gibibytes from 0 to {_MOST_GIB:,.0f}, got {given!r}", where="GENLAB_CACHE_GIB"
        )
    return size


def _size(folder: Path) -> int:
    """Disk usage in bytes: holes of sparse files and files removed meanwhile count as 0."""
    total = 0
    for file in folder.glob("*"):
        with suppress(FileNotFoundError):
            status = file.stat()
            total += getattr(status, "st_blocks", -(-status.st_size // 512)) * 512
    return total
