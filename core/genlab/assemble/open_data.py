"""The data of a run: its source chosen, and the splits of training opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

from genlab.assemble.instances import check_choice, check_splits, open_split
from genlab.config.schema import Input, ValueRange
from genlab.data.ranges import settle_ranges
from genlab.interfaces.dataset import Choice, Dataset, Pairs, Side, Split, TrainingSplit
from genlab.registry.components import ComponentConfig, ConstructedPart


@dataclass(frozen=True)
class DataSource:
    """The dataset in use, its config with the settings of its choice, and why it was chosen."""

    dataset: Dataset
    config: ComponentConfig
    reason: str | None

    def splits(self) -> tuple[Split, ...]:
        """The splits that it can open."""
        return check_splits(self.dataset, self.config.component)

    def open(self, split: Split) -> Pairs:
        """The pairs of a split; `DataError` if there are none."""
        return open_split(self.dataset, split, self.config.component)


@dataclass(frozen=True)
class OpenData:
    """The data of a run: the source in use, why it was chosen, and its pairs."""

    config: ComponentConfig
    reason: str | None
    training: Pairs
    validation: Pairs

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Hashes of the pairs' content, by split; may read all of them."""
        return {"train": self.training.fingerprint(), "validation": self.validation.fingerprint()}

    @property
    def left_out(self) -> dict[str, list[str]]:
        """Names of files among the data that are not read, by kind."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for pairs in (self.training, self.validation):
            for kind, names in pairs.left_out.items():
                found[kind] += names
        return dict(found)

    def ranged(self, settings: Input) -> Input:
        """Settings with the percentiles of their ranges measured on the training pairs (cached)."""
        key = (settings.range_a, settings.range_b)
        if key not in self._ranges:
            measured = settle_ranges(settings, self.training)
            self._ranges[key] = (measured.range_a, measured.range_b)
        range_a, range_b = self._ranges[key]
        return settings.model_copy(update={"range_a": range_a, "range_b": range_b})

    @cached_property
    def _ranges(self) -> dict[tuple[ValueRange, ValueRange], tuple[ValueRange, ValueRange]]:
        return {}

    def pairs(self, split: TrainingSplit) -> Pairs:
        """The pairs of a split."""
        return self.training if split == "train" else self.validation

    def sides(self, split: TrainingSplit) -> tuple[Side, Side]:
        """Descriptions of the two sides of a split's pairs."""
        pairs = self.pairs(split)
        return pairs.a, pairs.b


def open_data(parts: Sequence[ConstructedPart]) -> OpenData:
    """Choose the source among the datasets constructed, and open the splits of training."""
    source = choose_source(parts)
    training, validation = map(source.open, get_args(TrainingSplit))
    return OpenData(source.config, source.reason, training, validation)


def choose_source(parts: Sequence[ConstructedPart]) -> DataSource:
    """Choose the source among the datasets constructed, the last of which is the recipe's own."""
    dataset: Dataset = parts[-1].instance
    choice = check_choice(dataset.choose(), parts[-1].config.component)
    return DataSource(choice.dataset, _chosen(choice, parts), choice.reason)


def _chosen(choice: Choice, parts: Sequence[ConstructedPart]) -> ComponentConfig:
    """Config of a choice's dataset, with the settings of the choice applied, recursively."""
    config = next((part.config for part in parts if part.instance is choice.dataset), parts[-1].config)
    said = {
        name: _chosen(value, parts) if isinstance(value, Choice) else value for name, value in choice.settings.items()
    }
    return replace(config, settings={**config.settings, **said})
