"""The end of a command, as Python ends."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn


def run_and_exit(command: Callable[[], object]) -> NoReturn:
    """Run a command, and end as Python does, but for taking its modules apart: that takes longer than most commands."""
    try:
        code = _exit_code(command)
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream and not stream.closed:
                stream.flush()
        if isinstance(code, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(code & 0xFF)
    except BaseException as error:  # noqa: BLE001  (as what was printed last has nowhere to go)
        with suppress(OSError):
            os.write(2, f"Exception ignored at the end:\n{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(120)


def _exit_code(command: Callable[[], object]) -> int | KeyboardInterrupt:
    """Run a command, and give what it ends with."""
    try:
        command()
    except KeyboardInterrupt as error:
        sys.excepthook(*sys.exc_info())
        return error
    except SystemExit as error:
        if isinstance(error.code, int | None):
            return error.code or 0
        sys.stderr.write(f"{error.code}\n")
        return 1
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
        return 1
    return 0
