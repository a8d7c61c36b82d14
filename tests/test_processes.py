"""A command that is forked is what a Python that starts anew would be, but for the time to import."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.processes.forks import forking_python


def ended(python: list[str], code: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*python, "-c", code, "a", "b"], capture_output=True, text=True, timeout=60, **options)


def test_it_has_the_streams_the_arguments_and_the_folder_of_its_own(python: list[str], tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), sys.argv, os.getcwd()); sys.stderr.write('told'); sys.exit(7)"
    done = ended(python, code, input="given", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (7, "told")
    assert done.stdout == f"given ['-c', 'a', 'b'] {tmp_path}\n"


def test_it_ends_as_python_ends(python: list[str]) -> None:
    """With what was registered for the end, and with threads that are not done."""
    code = """
import atexit, threading, time
atexit.register(print, "the end")
threading.Thread(target=lambda: (time.sleep(0.2), print("a thread"))).start()
raise ValueError("a defect")
"""
    forked, anew = ended(python, code), ended([sys.executable], code)
    assert (forked.returncode, forked.stdout) == (anew.returncode, anew.stdout) == (1, "a thread\nthe end\n")
    assert forked.stderr.endswith("ValueError: a defect\n")


@pytest.mark.parametrize(
    "end",
    [
        *("pass", "sys.exit()", "sys.exit(3)", "sys.exit(True)", "sys.exit('why')", "sys.exit(300)", "sys.exit(-2)"),
        *("1 / 0", "raise KeyboardInterrupt", "os.abort()", "os.kill(os.getpid(), 9)", "atexit.register(sys.exit, 3)"),
        *("sys.stdout = None", "sys.stdout.close()", "sys.stdout = open('/dev/full', 'w'); print(1)"),
    ],
)
def test_its_exit_code_is_pythons(python: list[str], end: str) -> None:
    code = f"import atexit, os, sys; print('begun', flush=True); {end}"
    forked, anew = ended(python, code), ended([sys.executable], code)
    assert (forked.returncode, forked.stdout) == (anew.returncode, anew.stdout)
    assert forked.stderr.splitlines()[-1:] == anew.stderr.splitlines()[-1:]


def test_code_is_compiled_as_python_compiles_it(python: list[str]) -> None:
    """Without what the server imports from `__future__`."""
    assert ended(python, "def f(x: int): ...\nprint(f.__annotations__)").stdout == "{'x': <class 'int'>}\n"


def test_two_forks_draw_different_numbers(python: list[str]) -> None:
    code = "import random, uuid, numpy, torch\n"
    code += "print(random.random(), uuid.uuid4(), numpy.random.rand(), torch.rand(()).item())"
    one, other = (ended(python, code).stdout.split() for _ in range(2))
    assert not set(one) & set(other)


@pytest.mark.parametrize("option", ["-X", "-W", "-"])
def test_an_option_that_needs_a_start_is_refused(forked_python: list[str], option: str) -> None:
    done = subprocess.run([*forked_python, option, "x"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{option}: a fork takes -c, -m or a file; mark the test `cold`" in done.stderr


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import no_such_module")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with pytest.raises(RuntimeError, match="No module named 'no_such_module'"), forking_python(environment=environment):
        pass


def test_who_asks_and_goes_leaves_no_command_behind(forked_python: list[str], tmp_path: Path) -> None:
    """Even before it has heard which process the command is."""
    path, code = forked_python[-1], "import time; open('begun', 'w').close(); time.sleep(1); open('whole', 'w').close()"
    request = json.dumps([["-c", code], str(tmp_path), dict(os.environ)]).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [len(request).to_bytes(8)], [0, 1, 2])
        connection.sendall(request)
    time.sleep(1.5)
    assert not (tmp_path / "whole").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_come_to_the_command(python: list[str], number: int) -> None:
    # Python looks for signals before a wait, and a signal between the two would be seen after it: so it waits often.
    code = "import os, time; print(os.getpid(), flush=True)\nwhile True: time.sleep(0.05)"
    with subprocess.Popen([*python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        command = int(process.stdout.readline())
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == -number
    end = time.monotonic() + 30
    while Path(f"/proc/{command}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(command, 0)


def test_two_of_them_run_at_once_and_share_nothing(python: list[str]) -> None:
    code = "import os, sys; os.environ['X'] = 'x'; sys.modules['json'] = None; sys.stdin.readline(); print(os.getpid())"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen([*python, "-c", code], text=True, **pipes) for _ in range(2)]
    told = {process.communicate("go\n", timeout=60)[0] for process in processes}
    assert len(told) == 2
    assert ended(python, "import json, os; print(os.environ.get('X'))").stdout == "None\n"


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "PYTHONWARNINGS", "HF_HUB_OFFLINE", "TYPER_USE_RICH", "TZ"])
def test_what_is_read_at_the_start_cannot_be_given_to_a_fork(forked_python: list[str], name: str) -> None:
    done = ended(forked_python, "print('it ran')", env={**os.environ, name: "7"})
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{name}: read when Python starts" in done.stderr


def test_a_folder_of_packages_can(forked_python: list[str], tmp_path: Path) -> None:
    (tmp_path / "somebodys.py").write_text("NAME = 'somebody'")
    code = "import somebodys; print(somebodys.NAME)"
    assert ended(forked_python, code, env={**os.environ, "PYTHONPATH": str(tmp_path)}).stdout == "somebody\n"


def test_a_folder_that_the_server_was_given_is_not_there_for_a_command_without(tmp_path: Path) -> None:
    (tmp_path / "somebodys.py").write_text("")
    with forking_python(environment={**os.environ, "PYTHONPATH": str(tmp_path)}) as python:
        done = ended(python, "import somebodys", env={**os.environ, "PYTHONPATH": ""})
    assert "No module named 'somebodys'" in done.stderr


def test_closed_streams_are_refused(forked_python: list[str]) -> None:
    done = subprocess.run(["sh", "-c", '"$@" <&-', "sh", *forked_python, "-c", "pass"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a fork takes three streams, and one of them is closed; mark the test `cold`" in done.stderr


def test_an_error_at_the_very_end_is_told(python: list[str]) -> None:
    done = ended(python, "import sys; sys.excepthook = None; 1 / 0")
    assert done.returncode == 120
    assert "Exception ignored at the end:\nTypeError: " in done.stderr


@pytest.mark.cold
def test_a_cold_one_starts_anew(python: list[str]) -> None:
    assert python == [sys.executable]
    assert ended(python, "import sys; print('torch' in sys.modules)").stdout == "False\n"
