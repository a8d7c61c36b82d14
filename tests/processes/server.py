"""A Python that has imported PyTorch and genlab, and forks for each command that a test runs: `server.py SOCKET`.

A connection asks for one command. It sends the three standard streams with the length of a request, then the request:
`[arguments, folder, environment]` as JSON, with the arguments that `python` takes (`-c`, `-m` or a file). It hears the
command's process id, and in the end what `waitpid` said of it. Closing the connection kills the command.

The server itself computes nothing and starts no thread, as a fork would inherit locks that nobody opens again. It ends
when its standard input does.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NoReturn

LENGTH = 8
"""Bytes that give the length of a request."""

READ_AT_START = ("OMP_", "OPENBLAS_", "MKL_", "PYTHON", "HF_", "TYPER_", "_TYPER_")
"""Variables that Python or a library reads when it starts, by what their names begin with."""


def main(path: str) -> None:
    _import()
    # What is there is left alone from now on, as a fork would have to copy all that its collector looks at.
    gc.freeze()
    _refuse_threads()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in (readable := select.select([listener, sys.stdin], [], [])[0]):
            if listener in readable:
                connection, _ = listener.accept()
                # Two forks: the first waits for the second, so that the server waits for nobody.
                if os.fork() == 0:
                    listener.close()
                    _keep(connection)
                connection.close()
            _forget_those_that_ended()


def _import() -> None:
    """Import what commands need that takes long; plugins are imported by each command, as without a fork."""
    import torch._dynamo  # noqa: F401  (with the first optimizer)
    import typer  # noqa: F401

    import genlab.api
    import genlab.cli.app  # noqa: F401


def _refuse_threads() -> None:
    tasks = Path("/proc/self/task")
    threads = len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()
    if threads > 1:
        sys.exit(f"there are {threads} threads after the imports, and a fork needs one alone")


def _forget_those_that_ended() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(connection: socket.socket) -> NoReturn:
    """Run a command in a fork, and leave with its end."""
    header, streams, *_ = socket.recv_fds(connection, LENGTH, 3)
    with connection.makefile("rb") as file:
        arguments, folder, environment = json.loads(file.read(int.from_bytes(header)))
    ended, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup.fileno())
    if (command := os.fork()) == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for resource in (connection, ended, wakeup):
            resource.close()
        _end(partial(_become, arguments, folder, environment, streams))
    for stream in streams:
        os.close(stream)
    connection.sendall(f"{command}\n".encode())
    if connection in select.select([connection, ended], [], [])[0]:
        os.kill(command, signal.SIGKILL)
    _, status = os.waitpid(command, 0)
    with suppress(OSError):  # who asked may be gone
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def _become(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Be `python ARGUMENTS`, started in that folder with that environment and those streams."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # The server's own have written to somewhere else. Output is buffered, as for users, whatever PYTHONUNBUFFERED says.
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
    options = {"buffering": 1, "errors": "backslashreplace", "closefd": False}
    sys.stderr = sys.__stderr__ = open(2, "w", **options)  # noqa: SIM115
    if changed := sorted(name for name in {*os.environ, *environment} if _is_changed(name, environment)):
        sys.exit(f"{', '.join(changed)}: read when Python starts, which a fork did before; mark the test `cold`")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    named = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    kind, rest = arguments[0], arguments[1:]
    if kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path[0:1] = ["", *named]
        module = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), vars(module))
    elif kind == "-m":
        sys.argv = rest
        sys.path[0:1] = [folder, *named]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0:1] = [str(Path(kind).resolve().parent), *named]
        runpy.run_path(kind, run_name="__main__")


def _end(command: Callable[[], object]) -> NoReturn:
    """Run a command, and end as Python does, but for taking its modules apart: that takes longer than most commands."""
    code: object = 0
    try:
        command()
    except SystemExit as error:
        code = error.code
    except BaseException as error:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
        code = error if isinstance(error, KeyboardInterrupt) else 1
    if not isinstance(code, int | KeyboardInterrupt | None):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream and not stream.closed:
            stream.flush()
    if isinstance(code, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit((code or 0) & 0xFF)


def _is_changed(name: str, environment: dict[str, str]) -> bool:
    is_read_at_start = name.startswith(READ_AT_START) and name != "PYTHONPATH"
    return is_read_at_start and environment.get(name) != os.environ.get(name)


if __name__ == "__main__":
    main(sys.argv[1])
