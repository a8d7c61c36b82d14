"""The command line: `gen`. One thin file per verb; nothing here imports torch when it is imported."""

import signal
import sys
from types import FrameType

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 bad input, 130 or 143 interrupted."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        # Imported here, as an interruption may come while it is.
        from genlab.cli.app import run

        run()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """What Ctrl-C does, but while a training listens to it."""
    sys.stderr.write("interrupted\n")
    raise KeyboardInterrupt
