"""Read-ahead: pairs are read by threads before they are needed, in order and within a number of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from genlab.data.pair import PreparedPair
from genlab.util.bounded import MIB


@dataclass(frozen=True)
class ReadAhead:
    """Threads that read, and how far they read ahead.

    Args:
        readers: number of threads.
        nbytes: maximum size in bytes of what is read and not taken yet, if that is more than `least` pairs.
        least: so many pairs are read ahead in any case: those of one step.
    """

    readers: int = 2
    nbytes: int = 256 * MIB
    least: int = 1

    def room(self, largest: int, most: int) -> int:
        """Number of pairs to have read or asked for, given the size of the largest one so far, 0 before the first.

        Args:
            largest: its size in bytes.
            most: so many at most, such as those of an epoch, as further ones are the same again.
        """
        return max(self.least, min(self.nbytes // largest, most) if largest else 0)


W = TypeVar("W")


def read_in_order(
    wanted: Iterator[W], read: Callable[[W], PreparedPair], ahead: ReadAhead, most: int
) -> Generator[tuple[W, PreparedPair], None, None]:
    """Read pairs in the order in which they are wanted, ahead of the caller; closing the generator ends its threads.

    Args:
        wanted: what to read, without end.
        read: reads one; what it raises is raised when it is that one's turn.
        ahead: threads, and how far they read ahead.
        most: so many at most are read ahead.
    """
    with ThreadPoolExecutor(ahead.readers, thread_name_prefix="genlab-pairs") as pool:
        asked: deque[tuple[W, Future[PreparedPair]]] = deque()
        largest = 0

        def ask() -> None:
            missing = ahead.room(largest, most) - len(asked)
            asked.extend((item, pool.submit(read, item)) for item in islice(wanted, max(missing, 0)))

        def take() -> tuple[W, PreparedPair]:  # a function, so that what it returns is not held here
            nonlocal largest
            item, reading = asked.popleft()
            found = reading.result()
            largest = max(largest, found.nbytes)
            ask()
            return item, found

        try:
            ask()
            while True:
                yield take()
        finally:
            pool.shutdown(cancel_futures=True)
