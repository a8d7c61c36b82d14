"""Training, validation and test pairs: in places of their own, or validation pairs drawn from the training place."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from pathlib import PurePath
from typing import Annotated, NamedTuple, TypeVar
from unicodedata import normalize

from annotated_types import Gt, Lt

from genlab import DataError, Split
from genlab_images.paired import counted

Share = Annotated[float, Gt(0), Lt(1)]

T = TypeVar("T")


class Splits(NamedTuple):
    """Places of the pairs of each split.

    Args:
        train: the place of the training pairs, a folder or a file.
        validation: the place of the validation pairs; or the share of the training place's pairs that validate instead.
            They are drawn by a hash of their keys, so each stays in its split when others are added, on every machine.
        test: the place of the test pairs; the split is there if the place is.
    """

    train: str
    validation: str | Share
    test: str

    def available(self, is_there: Callable[[str], bool]) -> Sequence[Split]:
        """The splits that can be opened, given which places are there."""
        has_test = is_there(self.test) and self._rival_of_test(is_there) is None
        return ("train", "validation", "test") if has_test else ("train", "validation")

    def require_own_place(self, split: Split, is_there: Callable[[str], bool], where: str) -> None:
        """Raise a `DataError` for a test place that is that of another split, or within it, or around it."""
        if split == "test" and (rival := self._rival_of_test(is_there)):
            what = (
                f'the test pairs\' place "{self.test}" is not apart from "{self.place(rival)}", that of {rival} pairs'
            )
            raise DataError(what, where=where, hint='The settings "train", "validation" and "test" name the places.')

    def _rival_of_test(self, is_there: Callable[[str], bool]) -> Split | None:
        """The split whose place is not apart from that of test pairs."""
        test = PurePath(self.test)
        for split in ("train", "validation"):
            place = PurePath(self.place(split))
            if is_there(str(place)) and (test.is_relative_to(place) or place.is_relative_to(test)):
                return split
        return None

    def setting(self, split: Split) -> Split:
        """The setting that names the place of a split's pairs."""
        return split if split == "test" or isinstance(self.validation, str) else "train"

    def place(self, split: Split) -> str:
        """Name of the place where a split's pairs are."""
        if split == "test":
            return self.test
        return self.validation if split == "validation" and isinstance(self.validation, str) else self.train

    def select(self, split: Split, pairs: Mapping[str, T], where: str, noun: str = "pair") -> dict[str, T]:
        """The pairs of a split among those of its place, by key.

        Raises:
            DataError: the share leaves no pair to train with, or none to validate.
        """
        if split == "test" or isinstance(self.validation, str):
            return dict(pairs)
        drawn = {key for key in pairs if _fraction(key) < self.validation}
        if len(drawn) in (0, len(pairs)):
            purpose = "train with" if drawn else "validate"
            what = f"a validation share of {self.validation:g} leaves none of {counted(len(pairs), noun)} to {purpose}"
            raise DataError(what, where=where, hint=_useful_shares(pairs))
        return {key: pair for key, pair in pairs.items() if (key in drawn) == (split == "validation")}

    def in_words(self, split: Split, pairs: Sized, of: Sized, noun: str = "pair") -> str:
        """Number of a split's pairs in words, and the number that they are drawn from."""
        if split == "test" or isinstance(self.validation, str):
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
