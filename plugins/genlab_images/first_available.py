"""The first of several datasets that is available on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from genlab import Choice, Dataset, DataUnavailableError, Pairs, SideName, Split


class FirstAvailable(Dataset):
    """The first of its sources that is available on this machine, in the order given.

    Sources are asked once, quickly, and only whether they are available: damaged data is an error, not
    a reason to take the next one.

    Args:
        sources: the datasets, the preferred one first.
    """

    def __init__(self, *, sources: list[Dataset]) -> None:
        if not sources:
            raise ValueError("sources is empty: name at least one dataset")
        self.sources = sources

    @override
    def probe(self) -> None:
        self.choose()

    @override
    def open(self, split: Split) -> Pairs:
        return self.choose().dataset.open(split)

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.choose().dataset.available_splits()

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.choose().dataset.read(path, side)

    @override
    def choose(self) -> Choice:
        """Find the first available source, and why those before it are not available.

        Raises:
            DataUnavailableError: none is available.
        """
        return self._choice

    @cached_property
    def _choice(self) -> Choice:
        missing: list[DataUnavailableError] = []
        for source in self.sources:
            try:
                source.probe()
                dataset, reason, settings = source.choose()
            except DataUnavailableError as error:
                missing.append(error)
            else:
                reasons = [*map(_reason, missing), *([reason] if reason else [])]
                return Choice(dataset, "; ".join(reasons) or None, settings)
        what = "no source is available: " + "; ".join(map(_reason, missing))
        hints = dict.fromkeys(error.hint for error in missing if error.hint)
        raise DataUnavailableError(what, hint="\n".join(hints) or None)


def _reason(error: DataUnavailableError) -> str:
    return f"{error.where} is not available: {error.what}" if error.where else error.what
