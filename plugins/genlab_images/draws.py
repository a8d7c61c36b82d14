"""Random draws that belong to an image."""

from __future__ import annotations

import hashlib

import numpy as np


def draws_of(seed: int, key: str) -> np.random.Generator:
    """A counter-based generator whose numbers are a function of a seed and an image's key."""
    digest = hashlib.sha256(f"{seed} {key}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "big")))
