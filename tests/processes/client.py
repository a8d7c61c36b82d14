"""`python` by a fork of the server's: `client.py SOCKET ARGUMENTS` is `python ARGUMENTS`, without the time to import.

Signals that it gets go to the command, and if it is killed, so is the command. It imports little, as it starts anew for
each command.
"""

import json
import os
import select
import signal
import socket
import sys

# Numbers rather than names: this runs without `site`, and `server` is on no path of its own.
_LENGTH = 8
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main(path: str, arguments: list[str]) -> None:
    connection = socket.socket(socket.AF_UNIX)
    if connection.fileno() <= 2:
        sys.exit("a fork takes three streams, and one of them is closed; mark the test `cold`")
    connection.connect(path)
    request = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109  (pathlib takes as long to import as all else)
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    socket.send_fds(connection, [len(request).to_bytes(_LENGTH)], [0, 1, 2])
    connection.sendall(request)
    answers = connection.makefile()
    command = int(answers.readline())
    # By a socket, as a signal between a look for signals and a wait would be noticed after the wait.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in _PASSED_ON:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    while connection not in (readable := select.select([connection, reader], [], [])[0]):
        for number in reader.recv(64) if readable else b"":
            try:  # noqa: SIM105  (contextlib takes long to import)
                os.kill(command, number)
            except ProcessLookupError:
                pass
    end_as(int(answers.readline()))


def end_as(status: int) -> None:
    """End as another process did."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
