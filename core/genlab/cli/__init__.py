"""The command line: `gen`. One thin file per verb; importing these imports no torch."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from genlab.engine.stop_signal import StopSignal
from genlab.util.environment import is_first_process

__all__ = ["main"]

# Undoes what a progress bar does: it hides the cursor, and leaves it in its own line.
_SHOW_CURSOR = b"\x1b[?25h\n"


def main() -> None:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 bad input, 128 plus a signal's number."""
    signal.signal(signal.SIGINT, _interrupt)
    for number in StopSignal.signals:
        if signal.getsignal(number) is signal.SIG_DFL:  # under nohup, SIGHUP is ignored
            signal.signal(number, _interrupt)
    # Waiting threads must not spin: two concurrent trainings were five times as slow.
    # OpenMP reads this when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        # Imported here, so that an interruption during the import is handled.
        from genlab.cli.app import run

        run()
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code not in (128 + signal.SIGINT, _exit_code()):
            raise
        for number in StopSignal.signals:
            signal.signal(number, signal.SIG_IGN)  # one more would be a traceback, while Python ends
        sys.exit(_exit_code())


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Handle a signal, except while a training handles it; there is nothing to save.

    Of several processes, the first one speaks.
    """
    if not StopSignal.note(number):
        return
    word = "interrupted\n" if is_first_process() else ""
    if _is_importing(frame):
        # Modules may swallow exceptions during import, or crash on them.
        with suppress(OSError):
            os.write(2, _SHOW_CURSOR * os.isatty(2) + word.encode())
        os._exit(_exit_code())
    with suppress(RuntimeError):  # a stream is not reentrant: the signal may have interrupted a write
        sys.stderr.write(word)
        sys.stderr.flush()
    raise KeyboardInterrupt


def _exit_code() -> int:
    return 128 + StopSignal.last[0]


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
