"""Data loader: training batches, prefetched by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from genlab.config.schema import Input
from genlab.data.augment import crop_and_flip
from genlab.data.order import Draw, draw, pair_at
from genlab.data.pair import PreparedPair
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_network
from genlab.interfaces.batch import Batch
from genlab.interfaces.position import Draws

READ_AHEAD = 4
THREADS = 2


class Batches:
    """Endless sequence of training batches, which can start at any of them.

    Every batch is full: one at the end of an epoch continues into the next.
    """

    def __init__(self, pairs: PreparedPairs, settings: Input, seed: int, batch_size: int) -> None:
        self.pairs = pairs
        self.settings = settings
        self.seed = seed
        self.batch_size = batch_size

    def indices(self, first: int, last: int) -> list[int]:
        """Indices of the pairs in the batches from `first` to before `last`, in no certain order."""
        count = len(self.pairs)
        positions = range(first * self.batch_size, last * self.batch_size)
        if len(positions) >= 2 * count:  # an epoch is in it
            return list(range(count))
        return sorted({pair_at(self.seed, position, count) for position in positions})

    def starting_at(self, number: int) -> Generator[Batch, None, None]:
        """Iterate over batches from that number on (counted from 0); `DataError` when a pair cannot be read."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="genlab-pairs") as pool:
            ahead: deque[tuple[range, list[Draw], list[Future[PreparedPair]]]] = deque()
            try:
                while True:
                    while len(ahead) < READ_AHEAD:
                        positions = range(number * self.batch_size, (number + 1) * self.batch_size)
                        ahead.append((positions, *self._ask(pool, positions)))
                        number += 1
                    positions, draws, futures = ahead.popleft()
                    condition, target = self._finish([future.result() for future in futures], draws)
                    yield Batch(condition, target, draws=Draws(self.seed, tuple(positions)))
            finally:
                pool.shutdown(cancel_futures=True)

    def _ask(self, pool: ThreadPoolExecutor, positions: range) -> tuple[list[Draw], list[Future[PreparedPair]]]:
        draws = [draw(self.seed, position, len(self.pairs)) for position in positions]
        return draws, [pool.submit(self.pairs.__getitem__, item.index) for item in draws]

    def _finish(self, pairs: Sequence[PreparedPair], draws: Sequence[Draw]) -> tuple[Tensor, Tensor]:
        stacks = (torch.stack([pair.condition for pair in pairs]), torch.stack([pair.target for pair in pairs]))
        cropped = (crop_and_flip(stack, draws, self.settings) for stack in stacks)
        condition, target = (to_network(stack, side) for stack, side in zip(cropped, self.pairs.sides, strict=True))
        return condition, target
