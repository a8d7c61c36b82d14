"""Training and validation pairs: in places of their own, or drawn from one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Annotated, NamedTuple, TypeVar
from unicodedata import normalize

from annotated_types import Gt, Lt

from genlab import DataError, Split
from genlab_images.paired import counted

Share = Annotated[float, Gt(0), Lt(1)]

T = TypeVar("T")


class Splits(NamedTuple):
    """Places of the pairs of both splits.

    Args:
        train: the place of the training pairs, a folder or a file.
        validation: the place of the validation pairs; or the share of the training place's pairs that validate instead.
            They are drawn by a hash of their keys, so each stays in its split when others are added, on every machine.
    """

    train: str
    validation: str | Share

    def setting(self, split: Split) -> Split:
        """The setting that names the place of a split's pairs."""
        return split if isinstance(self.validation, str) else "train"

    def place(self, split: Split) -> str:
        """Name of the place where a split's pairs are."""
        return self.validation if split == "validation" and isinstance(self.validation, str) else self.train

    def select(self, split: Split, pairs: Mapping[str, T], where: str, noun: str = "pair") -> dict[str, T]:
        """The pairs of a split among those of its place, by key.

        Raises:
            DataError: the share leaves no pair to train with, or none to validate.
        """
        if isinstance(self.validation, str):
            return dict(pairs)
        drawn = {key for key in pairs if _fraction(key) < self.validation}
        if len(drawn) in (0, len(pairs)):
            purpose = "train with" if drawn else "validate"
            what = f"a validation share of {self.validation:g} leaves none of {counted(len(pairs), noun)} to {purpose}"
            raise DataError(what, where=where, hint=_useful_shares(pairs))
        return {key: pair for key, pair in pairs.items() if (key in drawn) == (split == "validation")}

    def in_words(self, pairs: Sized, of: Sized, noun: str = "pair") -> str:
        """Number of a split's pairs in words, and the number that they are drawn from."""
        if isinstance(self.validation, str):
            return counted(len(pairs), noun)
        return f"{len(pairs)} of {counted(len(of), noun)} (validation = {self.validation:g})"

    def left_out(self, split: Split, names: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """Names that a split reports as left out: none for validation pairs that are drawn from the training place."""
        return {} if self.setting(split) != split else names


def _fraction(key: str) -> float:
    """Number from 0 to 1, without 1, that a key is hashed to."""
    return int.from_bytes(hashlib.sha256(normalize("NFC", key).encode()).digest()[:6], "big") / 2**48


def _useful_shares(keys: Iterable[str]) -> str:
    """Advice on shares that draw some pairs and leave some."""
    fractions = sorted(map(_fraction, keys))
    least, most = math.floor(fractions[0] * 1000 + 1) / 1000, math.floor(fractions[-1] * 1000) / 1000
    place = '"validation" name a place of its own.'
    if least > most:
        return f"Let {place}"
    return f"Shares from {least:g} to {most:g} draw some of them and leave some; or let {place}"
