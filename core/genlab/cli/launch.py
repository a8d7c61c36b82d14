"""Start of several processes that train one run, and how each of them ends."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from uuid import uuid4

import typer

from genlab.errors import GenlabError, LostProcessError, TrainingError
from genlab.util.environment import Launch, find_launch

_SHUTDOWN = "TORCH_ELASTIC_SHUTDOWN_TIMEOUT"


def launch(devices: int) -> None:
    """Run this command in so many processes by PyTorch's launcher, and end as they do; nothing for one process.

    Raises:
        GenlabError: this process is one of them already.
        TrainingError: one was killed.
    """
    if devices == 1:
        return
    if find_launch():
        hint = "torchrun has its own option for that: --nproc-per-node."
        raise GenlabError("--devices starts processes, and this is one that was started", hint=hint)
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in logging.root.manager.loggerDict:  # the processes say what there is to say
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // devices)))
    os.environ.setdefault(_SHUTDOWN, "600")  # a checkpoint takes its time
    config = LaunchConfig(
        *(1, 1, devices),
        run_id=uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)("-P", "-m", "genlab", *_without_devices(sys.argv[1:]))
    except SignalException as stopped:
        raise typer.Exit(128 + stopped.sigval) from stopped
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:
            what = f"process {rank} was ended by {signal.Signals(-failure.exitcode).name}, and the others saved nothing"
            raise TrainingError(what, hint="`gen resume RUN --devices N` goes on from the last checkpoint.") from error
        raise typer.Exit(failure.exitcode) from error
    raise typer.Exit


def _without_devices(arguments: list[str]) -> list[str]:
    places = [place for place, word in enumerate(arguments) if word == "--devices"]
    return [
        word
        for place, word in enumerate(arguments)
        if not re.match(r"--devices(=|$)", word) and place - 1 not in places
    ]


def report(error: BaseException, exit_code: int) -> None:
    """Say which of several processes failed, to people and to the launcher; nothing for a process by itself."""
    place = find_launch()
    if place is None or place.size == 1:
        return
    if isinstance(error, LostProcessError):
        _let_others_speak()
    if exit_code == 1:
        sys.stderr.write(f"process {place.rank} of {place.size} on {socket.gethostname()} failed:\n")
    _record(error, place)


def _let_others_speak() -> None:
    """Wait for the launcher to end this process: it has to see the one first that failed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    time.sleep(5)


def _record(error: BaseException, place: Launch) -> None:
    """Write what torchrun shows of a process that failed, in the form of `torch.distributed.elastic`'s `record`."""
    if file := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        is_expected = isinstance(error, GenlabError)
        text = str(error) if is_expected else "".join(traceback.format_exception(error))
        extra = {"py_callstack": text, "timestamp": str(int(time.time())), "rank": place.rank}
        Path(file).write_text(json.dumps({"message": {"message": str(error), "extraInfo": extra}}), encoding="utf-8")
