"""Benchmark of a recipe's training step against the plain implementation, in turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genlab.errors import TrainingError
from genlab.runs import provenance
from genlab.tools.bench.measure import processor
from genlab.tools.bench.report import Benchmark, Measurement
from genlab.util import environment

Tell = Callable[[int, int], None]

_PATIENCE = 20.0


def run_benchmark(
    recipe: str | Path,
    overrides: Iterable[str],
    plugins: Iterable[Path],
    rounds: int,
    trust: bool,
    on_progress: Tell,
) -> Benchmark:
    """Take steps with both implementations in turns, `rounds` times.

    Args:
        recipe: a valid recipe.
        overrides: `KEY=VALUE` texts, laid over it.
        plugins: Python files with plugins.
        rounds: steps to measure of each implementation, after warm-up.
        trust: whether to run code that came with a run that the recipe names.
        on_progress: called with (done, total), in rounds.

    Raises:
        GenlabError: what a training would raise.
    """
    job = {
        "recipe": str(recipe),
        "overrides": list(overrides),
        "plugins": [str(Path(file).resolve()) for file in plugins],
        "steps": rounds,
        "trust": trust,
    }
    on_progress(0, rounds)
    with ExitStack() as stack:
        plain, ours = (stack.enter_context(_Worker({**job, "way": way})) for way in ("reference", "genlab"))
        rates: list[float] = []
        for number in range(rounds):
            # Each goes first in every other round, as a machine that gets slower favors the first.
            for worker in (plain, ours) if number % 2 == 0 else (ours, plain):
                worker.take_step()
            rates.append(ours.ask("matrix"))
            on_progress(number + 1, rounds)
        plain.end()
        ours.end()
        flops = plain.ask("flops")
    loop = ours.total("seconds") - ours.total("waited") - ours.total("stepped")
    return Benchmark(
        recipe=str(recipe),
        device=ours.first["device"],
        batch_size=ours.first["batch_size"],
        size=tuple(ours.first["size"]),
        flops=flops,
        matrix_rate=statistics.median(rates),
        reference=plain.side(),
        genlab=ours.side(),
        waiting=ours.total("waited") / ours.total("seconds"),
        loop=loop / ours.total("seconds") if ours.first["device"].startswith("cpu") else None,
        machine={**environment.machine(ours.first["device"]), "processor": processor()},
        versions=provenance.library_versions(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


class _Worker:
    """Worker process of one implementation, warmed up on construction."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed with the process)
        self._steps: list[dict[str, float]] = []
        self._end: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "genlab.tools.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONUNBUFFERED": "1"},  # as `gen` has it
        )
        try:
            self.first: dict[str, Any] = self.ask(job)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_error: object) -> None:
        """Let the process end with its listeners and folder, or kill it."""
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.communicate(timeout=_PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._log.close()

    def take_step(self) -> None:
        self._steps.append(self.ask("step"))

    def total(self, figure: str) -> float:
        """Total over all steps: `seconds`, and of them those `waited` and `stepped`."""
        return sum(step[figure] for step in self._steps)

    def end(self) -> None:
        """Take the last steps, which are profiled."""
        self._end = self.ask("end")

    def side(self) -> Measurement:
        seconds = tuple(step["seconds"] for step in self._steps)
        return Measurement(seconds, self.first["first_step"], self._end["memory"], self._end["shares"])

    def ask(self, command: Any) -> Any:
        """Send a command, and wait for its answer."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its last line says why
        line = self._process.stdout.readline()
        if not line:
            raise TrainingError(f"the worker process ended: {self._last_line()}")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise TrainingError(**answer["error"])
        return answer

    def _last_line(self) -> str:
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.wait()}"
