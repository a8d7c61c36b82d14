"""A server that forks for each command, started and ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent


@contextmanager
def forking_python(
    python: str | Path = sys.executable, environment: Mapping[str, str] | None = None
) -> Generator[list[str], None, None]:
    """Give the words that begin a command in place of `python`, and run its server as long as the block does.

    Args:
        python: the interpreter.
        environment: what its server starts with; what the tests have by default.
    """
    # A folder of its own, as the path of a socket must be short.
    with TemporaryDirectory(prefix="genlab-forks-") as folder:
        path, log = Path(folder, "socket"), Path(folder, "log")
        command = [python, HERE / "server.py", path]
        # In a session of its own, as Ctrl-C in a terminal comes to a command by its client alone.
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "start_new_session": True}
        with log.open("w") as errors, subprocess.Popen(command, env=environment, stderr=errors, **pipes) as server:
            assert server.stdout is not None
            if server.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the server that forks did not start:\n{log.read_text()}")
            yield [sys.executable, "-IS", str(HERE / "client.py"), str(path)]
