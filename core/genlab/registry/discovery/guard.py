"""Isolation of the process from side effects of a plugin's import."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

_importing = threading.RLock()
"""Lock, as streams and working directory are process-wide."""


@contextmanager
def guarded() -> Generator[None, None, None]:
    """Context for importing a plugin: its output goes to standard error.

    The streams and the working directory are restored afterwards.
    """
    with _importing, _output_aside(), _same_folder():
        yield


@contextmanager
def _output_aside() -> Generator[None, None, None]:
    stderr, kept = sys.stderr, _output_to_error()
    try:
        with redirect_stdout(stderr):
            yield
    finally:
        sys.stderr = stderr
        if kept is not None:
            # Output of the block must be flushed before its end; a plugin may have closed the stream.
            with suppress(OSError, ValueError):
                _flush(sys.__stdout__)
            os.dup2(kept, 1)
            os.close(kept)


def _output_to_error() -> int | None:
    """Redirect standard output to standard error; returns the original, or None without such streams."""
    try:
        for stream in (sys.stdout, sys.__stdout__):
            _flush(stream)
        kept = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError):
        return None
    return kept


def _flush(stream: TextIO | None) -> None:
    """Flush a stream; a process that was started without standard output has none."""
    if stream is not None:
        stream.flush()


@contextmanager
def _same_folder() -> Generator[None, None, None]:
    try:
        folder = Path.cwd()
    except OSError:  # it is gone
        folder = None
    try:
        yield
    finally:
        if folder:
            with suppress(OSError):
                os.chdir(folder)
