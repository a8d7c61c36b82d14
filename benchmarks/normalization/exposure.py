"""Photos whose exposure matters: what statistics of a single image take away from it."""

import hashlib
import zlib

import numpy as np

import genlab

DARKEST = 0.1


class ExposedPhotos(genlab.Dataset):
    """Photos of another dataset's side a, each at an exposure of its own: side a in color, side b in gray.

    Args:
        source: where the photos come from.
    """

    def __init__(self, *, source: genlab.Dataset) -> None:
        self.source = source

    def open(self, split: genlab.Split) -> genlab.Pairs:
        return ExposedPairs(self.source.open(split))


class ExposedPairs(genlab.Pairs):
    """The pairs of one split, whose exposures are drawn from their keys."""

    def __init__(self, source: genlab.Pairs) -> None:
        super().__init__(genlab.ImageSide(3), genlab.ImageSide(1), f"{source.description}, at random exposures")
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> genlab.Pair:
        key, photo, _ = self.source[index]
        exposure = DARKEST ** np.random.default_rng(zlib.crc32(key.encode())).random()
        exposed = np.rint(photo * exposure).astype(np.uint8)
        return genlab.Pair(key, exposed, np.rint(exposed.mean(axis=2, keepdims=True)).astype(np.uint8))

    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.source.fingerprint()} {DARKEST}".encode()).hexdigest()


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.dataset("exposed_photos", ExposedPhotos)
