"""A dataset around another one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from typing_extensions import override

from genlab import Choice, Dataset, Split


class Around(Dataset):
    """A dataset that shows another one, or what that one chooses, otherwise.

    Args:
        source: where the pairs or images come from.
    """

    def __init__(self, source: Dataset) -> None:
        self.source = source

    @override
    def probe(self) -> None:
        self.source.probe()

    @override
    def choose(self) -> Choice:
        return Choice(self, self.chosen.reason, {"source": self.chosen})

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.chosen.dataset.available_splits()

    @cached_property
    def chosen(self) -> Choice:
        """The source's choice."""
        return self.source.choose()
