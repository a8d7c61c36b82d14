"""The command line: `gen`. One thin file per verb; importing these imports no torch."""

import os
import signal
import sys
from types import FrameType

__all__ = ["main"]

_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 bad input, 130 or 143 interrupted."""
    signal.signal(signal.SIGINT, _interrupt)
    # Waiting threads must not spin: two concurrent trainings were five times as slow.
    # OpenMP reads this when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        # Imported here, so that an interruption during the import is handled.
        from genlab.cli.app import run

        run()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more would be a traceback, while Python ends
        sys.exit(_INTERRUPTED)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Handle Ctrl-C, except while a training handles it."""
    sys.stderr.write("interrupted\n")
    sys.stderr.flush()
    if _is_importing(frame):
        # Modules may swallow exceptions during import, or crash on them; there is nothing to save yet.
        os._exit(_INTERRUPTED)
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
