"""Fingerprint of pairs by their encoded bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from genlab import ImageSource


def hash_of_pairs(pairs: Iterable[tuple[str, Sequence[ImageSource]]]) -> str:
    """A hash of the pairs' keys and encoded bytes, in order; independent of their location."""
    digest = hashlib.sha256()
    for key, sources in pairs:
        digest.update(hashlib.sha256(key.encode()).digest())
        for source in sources:
            digest.update(hashlib.sha256(source.read()).digest())
    return digest.hexdigest()
