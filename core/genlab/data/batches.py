"""Data loader: training batches, prefetched by threads."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count, islice
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.data.augment import AugmentationStep, augmented_sides
from genlab.data.network_batch import to_batch
from genlab.data.order import Draw, draw, pair_at
from genlab.data.pair import PreparedPair
from genlab.data.prepared import PreparedPairs
from genlab.data.read_ahead import ReadAhead, read_in_order
from genlab.interfaces.augmentation import AugmentedSide
from genlab.interfaces.batch import Batch
from genlab.interfaces.position import Draws


class PairDraw(NamedTuple):
    """Draws for condition and target, which are the same for those of a pair; at a position of the training."""

    condition: Draw
    target: Draw
    position: int


class Batches:
    """Endless sequence of training batches, which can start at any of them.

    Every batch is full: one at the end of an epoch continues into the next.

    Args:
        pairs: at the size that the first augmentation takes.
        augmentations: the recipe's.
        seed: the recipe's.
        batch_size: pairs per batch.
        in_pairs: whether condition and target of a batch belong together; otherwise each side is drawn by itself, in
            an order and with crops of its own, and has epochs of its own number of images.
        ahead: how they are read ahead, which makes no difference to the batches.
        part: the number of a part of each batch, from 0, and of how many; only its pairs are read.
    """

    def __init__(
        self,
        pairs: PreparedPairs,
        augmentations: Sequence[AugmentationStep],
        seed: int,
        batch_size: int,
        *,
        in_pairs: bool = True,
        ahead: ReadAhead | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self.pairs = pairs
        self.augmentations = augmentations
        self.seed = seed
        self.batch_size = batch_size
        self.in_pairs = in_pairs
        self.ahead = ahead or ReadAhead()
        self.part = part

    def indices(self, first: int, last: int) -> tuple[list[int], list[int]]:
        """Indices of the conditions and of the targets in the batches from `first` to before `last`, ascending."""
        positions = range(first * self.batch_size, last * self.batch_size)
        conditions = self._indices(positions, of_targets=False)
        return conditions, conditions if self.in_pairs else self._indices(positions, of_targets=True)

    def _indices(self, positions: range, *, of_targets: bool) -> list[int]:
        count = self.pairs.counts[of_targets]
        if len(positions) >= 2 * count:  # an epoch is in it
            return list(range(count))
        return sorted({pair_at(self.seed, position, count, of_targets=of_targets) for position in positions})

    def starting_at(self, number: int) -> Generator[Batch, None, None]:
        """Iterate over batches from that number on (counted from 0); `DataError` when a pair cannot be read."""
        draws = (self._draw(position) for batch in count(number) for position in self._positions(batch))
        with closing(read_in_order(draws, self._read, self.ahead, most=max(self.pairs.counts))) as reading:
            while True:
                yield self._batch(list(islice(reading, len(self._positions(number)))))

    def _positions(self, number: int) -> range:
        """The positions of this part of a batch."""
        rank, size = self.part
        share = self.batch_size // size
        first = number * self.batch_size + rank * share
        return range(first, first + share)

    def first_epoch(self, conditions: Sequence[int]) -> list[PreparedPair]:
        """Pairs of these conditions, by index, as the first epoch has them: cut and augmented, stored as before."""
        count = self.pairs.counts[0]
        drawn = {each.condition.index: each for each in map(self._draw, range(count))}
        draws = [drawn[index % count] for index in conditions]
        pairs = [self._read(each) for each in draws]
        sides = (side for side in self._augment(pairs, draws) if side is not None)
        return [PreparedPair(pair.key, *images) for pair, *images in zip(pairs, *sides, strict=True)]

    def _read(self, draws: PairDraw) -> PreparedPair:
        sides = (draws.condition, draws.target)
        pair = self.pairs.joined(*(side.index for side in sides))
        return self.pairs.cropped(pair, *(side.numbers("input.resize", 2) for side in sides))

    def _draw(self, position: int) -> PairDraw:
        conditions, targets = self.pairs.counts
        condition = draw(self.seed, position, conditions)
        target = condition if self.in_pairs else draw(self.seed, position, targets, of_targets=True)
        return PairDraw(condition, target, position)

    def _batch(self, read: Sequence[tuple[PairDraw, PreparedPair]]) -> Batch:
        draws, pairs = zip(*read, strict=True)
        batch = to_batch(self.pairs.sides, *self._augment(pairs, draws))
        return batch._replace(draws=Draws(self.seed, tuple(sides.position for sides in draws)))

    def _augment(
        self, pairs: Sequence[PreparedPair], draws: Sequence[PairDraw]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Conditions, targets and masks, stacked and augmented."""
        condition, target = augmented_sides(self.pairs)
        of_targets = [each.target for each in draws]
        conditions = self._augmented([pair.condition for pair in pairs], condition, [each.condition for each in draws])
        targets = self._augmented([pair.target for pair in pairs], target, of_targets)
        masks = [pair.mask for pair in pairs if pair.mask is not None]
        mask = self._augmented(masks, replace(target, name="mask", is_labels=True), of_targets) if masks else None
        return conditions, targets, mask

    def _augmented(self, images: Sequence[Tensor], side: AugmentedSide, draws: Sequence[Draw]) -> Tensor:
        """Stack the images of a side, and change them by the augmentations in their order."""
        batch = torch.stack(list(images))
        for step in self.augmentations:
            batch = step.apply(batch, side, draws)
        return batch
