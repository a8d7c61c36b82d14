"""Data loader: training batches, prefetched by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.data.augment import AugmentationStep, augmented_sides
from genlab.data.network_batch import to_batch
from genlab.data.order import Draw, draw, pair_at
from genlab.data.pair import PreparedPair
from genlab.data.prepared import PreparedPairs
from genlab.interfaces.augmentation import AugmentedSide
from genlab.interfaces.batch import Batch
from genlab.interfaces.position import Draws

READ_AHEAD = 4
THREADS = 2


class PairDraw(NamedTuple):
    """Draws for condition and target, which are the same for those of a pair."""

    condition: Draw
    target: Draw


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
    """

    def __init__(
        self,
        pairs: PreparedPairs,
        augmentations: Sequence[AugmentationStep],
        seed: int,
        batch_size: int,
        *,
        in_pairs: bool = True,
    ) -> None:
        self.pairs = pairs
        self.augmentations = augmentations
        self.seed = seed
        self.batch_size = batch_size
        self.in_pairs = in_pairs

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
        with ThreadPoolExecutor(THREADS, thread_name_prefix="genlab-pairs") as pool:
            ahead: deque[tuple[range, list[PairDraw], list[Future[PreparedPair]]]] = deque()
            try:
                while True:
                    while len(ahead) < READ_AHEAD:
                        positions = range(number * self.batch_size, (number + 1) * self.batch_size)
                        ahead.append((positions, *self._ask(pool, positions)))
                        number += 1
                    positions, draws, futures = ahead.popleft()
                    batch = self._finish([future.result() for future in futures], draws)
                    yield batch._replace(draws=Draws(self.seed, tuple(positions)))
            finally:
                pool.shutdown(cancel_futures=True)

    def _ask(self, pool: ThreadPoolExecutor, positions: range) -> tuple[list[PairDraw], list[Future[PreparedPair]]]:
        draws = [self._draw(position) for position in positions]
        return draws, [pool.submit(self._read, sides) for sides in draws]

    def _read(self, draws: PairDraw) -> PreparedPair:
        pair = self.pairs.joined(*(side.index for side in draws))
        return self.pairs.cropped(pair, *(side.numbers("input.resize", 2) for side in draws))

    def _draw(self, position: int) -> PairDraw:
        conditions, targets = self.pairs.counts
        condition = draw(self.seed, position, conditions)
        return PairDraw(condition, condition if self.in_pairs else draw(self.seed, position, targets, of_targets=True))

    def _finish(self, pairs: Sequence[PreparedPair], draws: Sequence[PairDraw]) -> Batch:
        condition, target = augmented_sides(self.pairs)
        of_targets = [each.target for each in draws]
        conditions = self._augmented([pair.condition for pair in pairs], condition, [each.condition for each in draws])
        targets = self._augmented([pair.target for pair in pairs], target, of_targets)
        masks = [pair.mask for pair in pairs if pair.mask is not None]
        mask = self._augmented(masks, replace(target, name="mask", is_labels=True), of_targets) if masks else None
        return to_batch(self.pairs.sides, conditions, targets, mask)

    def _augmented(self, images: Sequence[Tensor], side: AugmentedSide, draws: Sequence[Draw]) -> Tensor:
        """Stack the images of a side, and change them by the augmentations in their order."""
        batch = torch.stack(list(images))
        for step in self.augmentations:
            batch = step.apply(batch, side, draws)
        return batch
