"""A Python that has imported PyTorch and genlab, and forks for each command that a test runs: `server.py SOCKET`.

A connection asks for one command. It sends the three standard streams with the length of a request, then the request:
`[arguments, folder, environment]` as JSON, with the arguments that `python` takes (`-c`, `-m` or a file). It hears the
command's process id, and in the end what `waitpid` said of it. Closing the connection kills the command.

The server itself computes nothing and starts no thread, as a fork would inherit locks that nobody releases. It ends
when its standard input does. A command has the umask, the limits and the session of the server, and its hash seed.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import numpy as np
import torch
from ending import run_and_exit

LENGTH = 8
"""Bytes that give the length of a request."""

READ_AT_START = (
    *("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "CUDA_", "MALLOC_", "GLIBC_", "LD_", "LC_", "LANG", "TZ"),
    *("PYTHON", "PYTORCH_", "HF_", "JAXTYPING_", "TYPER_", "_TYPER_"),
)
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
                    _supervise(connection)
                connection.close()
            _reap()


def _import() -> None:
    """Import what commands need that takes long; plugins are imported by each command, as without a fork."""
    import torch._dynamo  # noqa: F401  (which steps on tensors without values take)
    import typer  # noqa: F401

    import genlab.cli.app

    for name in genlab.__all__:
        getattr(genlab, name)


def _refuse_threads() -> None:
    tasks = Path("/proc/self/task")
    threads = len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()
    if threads > 1:
        sys.exit(f"there are {threads} threads after the imports, and a fork needs one alone")


def _reap() -> None:
    """Wait for those that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _supervise(connection: socket.socket) -> NoReturn:
    """Run a command in a fork, and leave with its end."""
    try:
        header, streams, *_ = socket.recv_fds(connection, LENGTH, 3)
        with connection.makefile("rb") as file:
            arguments, folder, environment = json.loads(file.read(int.from_bytes(header)))
    except (OSError, ValueError):  # who asked is gone
        os._exit(0)
    ended, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup.fileno())
    if (command := os.fork()) == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for resource in (connection, ended, wakeup):
            resource.close()
        run_and_exit(partial(_run_as_python, arguments, folder, environment, streams))
    for stream in streams:
        os.close(stream)
    with suppress(OSError):  # who asked may be gone, which the next line finds
        connection.sendall(f"{command}\n".encode())
    if connection in select.select([connection, ended], [], [])[0]:
        os.kill(command, signal.SIGKILL)
    _, status = os.waitpid(command, 0)
    with suppress(OSError):
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def _run_as_python(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Run `python ARGUMENTS`, as if started in that folder with that environment and those streams."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # The server's own have written to somewhere else. Output is buffered, as for users, whatever PYTHONUNBUFFERED says.
    text = {"encoding": sys.stdout.encoding, "errors": sys.stdout.errors, "closefd": False}
    sys.stdin = sys.__stdin__ = open(0, **text)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", **text)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, **{**text, "errors": "backslashreplace"})  # noqa: SIM115
    if changed := sorted(name for name in {*os.environ, *environment} if _is_changed(name, environment)):
        sys.exit(f"{', '.join(changed)}: read when Python starts, which a fork did before; mark the test `cold`")
    os.chdir(folder)
    installed = [entry for entry in sys.path[1:] if entry not in _named_folders(os.environ)]
    sys.path[1:] = [*_named_folders(environment), *installed]
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    np.random.seed()
    torch.default_generator.seed()
    kind, rest = arguments[0], arguments[1:]
    if kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path[0] = ""
        module = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec", dont_inherit=True), vars(module))
    elif kind == "-m":
        sys.argv = rest
        sys.path[0] = folder
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind.startswith("-"):
        sys.exit(f"{kind}: a fork takes -c, -m or a file; mark the test `cold`")
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(kind).resolve().parent)
        runpy.run_path(kind, run_name="__main__")


def _named_folders(environment: Mapping[str, str]) -> list[str]:
    return [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _is_changed(name: str, environment: Mapping[str, str]) -> bool:
    is_read_at_start = name.startswith(READ_AT_START) and name != "PYTHONPATH"
    return is_read_at_start and environment.get(name) != os.environ.get(name)


if __name__ == "__main__":
    main(sys.argv[1])
