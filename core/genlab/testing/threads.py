"""Stress test of thread safety: forced switches between threads."""

from __future__ import annotations

import random
import sys
import time
from types import FrameType
from typing import Any

from genlab.interfaces.dataset import Pair, Pairs

_TURNS = 100
"""How often a thread gives way while it reads a pair; some code goes through very many lines."""


def read_in_turns(pairs: Pairs, index: int) -> Pair:
    """Read a pair so that other threads take their turn between the lines of the code that reads it.

    Left to themselves, threads seldom meet where they disturb each other.
    """
    package = type(pairs).__module__.partition(".")[0]
    pauses = random.Random()
    turns = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal turns
        if turns == _TURNS:
            sys.settrace(None)
            return None
        if str(frame.f_globals.get("__name__")).partition(".")[0] != package:
            return None
        if event == "line":
            turns += 1
            time.sleep(pauses.uniform(0, 0.0002))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return pairs[index]
    finally:
        sys.settrace(before)
