"""What a person sees of a run: in a terminal of their own, and in a file."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from genlab import Ended, Started, Validated
from genlab_listeners.console import Console

LONG = (
    "400 pairs in /data/ünicode [v2]/train: side by side, photo on the left; 100 pairs to validate, all of them whole"
)

RUN = f"""
import sys, time
from pathlib import Path
from genlab import Ended, CheckpointSaved, Started, Step, Validated, StepMetrics
from genlab_listeners.console import Console

first, last, status = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
facts = {{"device": "CPU, 2 threads", "data": {LONG!r}, "generator": "unet [bold]54,413,955[/bold] parameters"}}
listener = Console()
listener.started(Started(Path("runs/a"), "U-Net [red]label maps[/red]\\x1b[2J to facades", "", facts, first, 40, 3))
for step in range(first + 1, last + 1):
    time.sleep(0.004)
    losses = {{"discriminator/adversarial": 0.6875, "generator/adversarial": 1.5, "generator/l1": step / 100}}
    values = StepMetrics(losses, {{}}, {{}}, {{}}, 2.0) if step % int(sys.argv[4]) == 0 else None
    listener.step(Step(step, values))
    if step % 20 == 0:
        time.sleep(0.11)
        metrics = {{"validation/l1": 0.3123, "validation/psnr": 14.234, "train/l1": 0.3011, "train/psnr": 15.0,
                   "gap/l1": 0.0112, "gap/psnr": -0.766}}
        listener.validated(Validated(step, metrics))
        print("for a program")
        print("a warning", file=sys.stderr)
        listener.checkpoint_saved(CheckpointSaved(step, Path("checkpoints/20")))
listener.ended(Ended(last, status, 3723.4, metrics={{"validation/l1": 0.3123, "gap/l1": 0.0112}}))
print("the end", file=sys.stderr)
"""

SEQUENCE = re.compile(r"\x1b\[(\??\d*(?:;\d+)*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


class Screen:
    """As much of a terminal as a bar needs: it keeps every line, and refuses what it does not know."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines = [""]
        self.row = self.column = 0
        self.cursor_is_visible = True
        self.colors: set[str] = set()

    def feed(self, output: str) -> Iterator[list[str]]:
        """What is to be seen before each move of the cursor back to the start of a line."""
        position = 0
        while position < len(output):
            match = SEQUENCE.match(output, position)
            assert match, f"no sequence that is known: {output[position : position + 20]!r}"
            position = match.end()
            if match[0] == "\r":
                yield list(self.lines)
                self.column = 0
            elif match[0] == "\n":
                self.row += 1
                self.lines += [""] * (self.row >= len(self.lines))
            elif match[2]:
                self.obey(match[1], match[2])
            else:
                self.write(match[0])

    def obey(self, argument: str, command: str) -> None:
        if command == "A":
            self.row -= int(argument or 1)
            assert self.row >= 0
        elif command == "K":
            self.lines[self.row] = ""
        elif command == "m":
            self.colors.add(argument)
        else:
            assert argument == "?25", f"no command that is known: {argument}{command}"
            self.cursor_is_visible = command == "h"

    def write(self, text: str) -> None:
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)
        assert self.column <= self.width, f"wider than the terminal: {self.lines[self.row]!r}"


def in_terminal(
    python: list[str], width: int, *arguments: object, stdout_to_pipe: bool = False, **environment: str
) -> tuple[str, str]:
    """What a run writes to a terminal of that width, and what goes down the pipe."""
    main, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [*python, "-c", RUN, *map(str, arguments), "4"],
        stdin=terminal,
        stdout=subprocess.PIPE if stdout_to_pipe else terminal,
        stderr=terminal,
        env={**clean, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(terminal)
        written = b"".join(iter(lambda: _read(main), b""))
        piped = process.stdout.read() if process.stdout else b""
    os.close(main)
    assert process.returncode == 0, written.decode()
    return written.decode(), piped.decode()


def _read(main: int) -> bytes:
    try:
        return os.read(main, 65536)
    except OSError:  # the other end is closed
        return b""


def in_file(python: list[str], *arguments: object, values_every: int = 4, **environment: str) -> str:
    result = subprocess.run(
        [*python, "-c", RUN, *map(str, arguments), str(values_every)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=True,
    )
    assert result.stdout == "for a program\n" * result.stderr.count("validation l1 0.3123  psnr")
    return result.stderr


@pytest.fixture(scope="module", params=[60, 80, 200])
def shown(request: pytest.FixtureRequest, forked_python: list[str]) -> tuple[Screen, list[list[str]]]:
    """A whole run in a terminal of some width: the screen in the end, and everything seen on the way."""
    screen = Screen(request.param)
    output, _ = in_terminal(forked_python, request.param, 0, 40, "finished")
    return screen, list(screen.feed(output))


def test_the_header_names_title_and_facts_literally_and_aligned(shown: tuple[Screen, list[list[str]]]) -> None:
    lines = shown[0].lines
    assert lines[0].rstrip() == "U-Net [red]label maps[/red]\\u001b[2J to facades"
    assert lines[1].rstrip() == "device     CPU, 2 threads"
    words = " ".join(line[11:].strip() for line in lines[2 : lines.index(next(x for x in lines if "generator" in x))])
    assert words == LONG
    assert any(line.rstrip() == "generator  unet [bold]54,413,955[/bold] parameters" for line in lines)


def test_the_bar_shows_how_far_it_is_how_fast_and_how_long(shown: tuple[Screen, list[list[str]]]) -> None:
    bars = [line.rstrip() for seen in shown[1] for line in seen if "━" in line and "images/s" in line]
    assert bars
    for bar in bars:
        assert re.fullmatch(r"[━╸╺]+ +\d+/40 +\d{2,3}(\.\d)? images/s +\d:\d\d left", bar)
    assert " 40/40 " in bars[-1]
    losses = [line for seen in shown[1] for line in seen if line.startswith("discriminator adversarial 0.6875")]
    assert losses
    words = "discriminator adversarial 0.6875   generator adversarial 1.5  l1 0.4"
    assert losses[-1].rstrip() == (words if shown[0].width > 60 else f"{words[:59]}…")


def test_the_last_step_is_shown_while_the_last_validation_goes_on(shown: tuple[Screen, list[list[str]]]) -> None:
    assert any(" 40/40 " in text and "step 40" not in text for text in map("\n".join, shown[1]))


def test_validations_stay_above_the_bar(shown: tuple[Screen, list[list[str]]]) -> None:
    text = re.sub(r"\s+", " ", " ".join(shown[0].lines))
    for step in (20, 40):
        assert f"step {step} validation l1 0.3123 psnr 14.23 train l1 0.3011 (gap +0.011)" in text
    assert text.count("a warning") == text.count("for a program") == 2


def test_in_the_end_the_bar_is_gone_and_the_cursor_back(shown: tuple[Screen, list[list[str]]]) -> None:
    screen = shown[0]
    assert screen.cursor_is_visible
    assert not any("━" in line for line in screen.lines)
    end = re.sub(r"\s+", " ", " ".join(screen.lines))
    assert end.endswith("finished at step 40/40 after 1:02:03 last validation l1 0.3123 the end ")


def test_colors_can_be_read_on_light_and_on_dark(shown: tuple[Screen, list[list[str]]]) -> None:
    """Only the terminal's own colors, and none of those that vanish on white or on black."""
    allowed = {"0", "1", "2", "36", "90", "1;32"}
    assert shown[0].colors <= allowed


@pytest.mark.parametrize(("status", "color"), [("interrupted", "33"), ("failed", "31")])
def test_a_run_that_ends_early_leaves_a_sane_terminal(status: str, color: str, python: list[str]) -> None:
    screen = Screen(80)
    list(screen.feed(in_terminal(python, 80, 0, 13, status)[0]))
    assert screen.cursor_is_visible
    assert not any("━" in line for line in screen.lines)
    assert f"{status} at step 13/40 after 1:02:03   last validation l1 0.3123" in [
        line.rstrip() for line in screen.lines
    ]
    assert f"1;{color}" in screen.colors


def test_a_resumed_run_starts_its_bar_where_it_was(python: list[str]) -> None:
    seen = list(Screen(80).feed(in_terminal(python, 80, 30, 40, "finished")[0]))
    counts = [int(found[1]) for lines in seen for line in lines if (found := re.search(r"━ +(\d+)/40", line))]
    assert counts[0] == 30
    assert any("resumed    after step 30 of 40" in line for line in seen[-1])


def test_standard_output_is_left_to_programs(python: list[str]) -> None:
    shown, piped = in_terminal(python, 80, 0, 40, "finished", stdout_to_pipe=True)
    assert piped == "for a program\n" * 2
    assert "for a program" not in shown


@pytest.mark.parametrize("environment", [{}, {"COLUMNS": "40", "TERM": "dumb"}])
def test_a_file_gets_few_plain_lines(environment: dict[str, str], python: list[str]) -> None:
    text = in_file(python, 0, 40, "finished", **environment)
    assert not re.search(r"[^\n -~ü]", text), "a control character, or a drawn one"
    lines = text.splitlines()
    assert lines[:4] == [
        "U-Net [red]label maps[/red]\\u001b[2J to facades",
        "device     CPU, 2 threads",
        f"data       {LONG}",
        "generator  unet [bold]54,413,955[/bold] parameters",
    ]
    assert lines[-2:] == ["finished at step 40/40 after 1:02:03   last validation l1 0.3123", "the end"]
    progress = [line for line in lines if re.match(r"step +\d+/40", line)]
    assert [int(line[5:7]) for line in progress] == [4, 8, 12, 16, 20, 24, 28, 32, 36]
    assert re.fullmatch(
        r"step 36/40  [\d.]+ images/s  0:0\d left  "
        r"discriminator adversarial 0\.6875   generator adversarial 1\.5  l1 0\.36",
        progress[-1],
    )
    assert lines.count("step 20  validation l1 0.3123  psnr 14.23   train l1 0.3011 (gap +0.011)") == 1


def test_each_line_in_a_file_has_the_losses_of_its_step(python: list[str]) -> None:
    lines = in_file(python, 0, 40, "finished", values_every=10).splitlines()
    found = [re.match(r"step (\d+)/40 .* l1 ([\d.]+)$", line) for line in lines if re.match(r"step +\d+/40", line)]
    assert [match and (int(match[1]), float(match[2])) for match in found] == [(10, 0.1), (20, 0.2), (30, 0.3)]


def test_a_resumed_run_in_a_file_goes_on_with_the_next_tenth(python: list[str]) -> None:
    lines = in_file(python, 30, 40, "finished").splitlines()
    assert "resumed    after step 30 of 40" in lines
    assert [line[:10] for line in lines if re.match(r"step +\d+/40", line)] == ["step 32/40", "step 36/40"]


def test_a_validation_without_metrics_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.started(Started(Path("runs/a"), "A run", "", {}, 0, 40, 1))
    console.validated(Validated(20, {}))
    console.ended(Ended(40, "finished", 1.0))
    assert "validation" not in capsys.readouterr().err


def test_a_terminal_without_cursor_gets_plain_lines(python: list[str]) -> None:
    text, _ = in_terminal(python, 80, 0, 40, "finished", TERM="dumb")
    assert "\x1b" not in text
    assert "step 36/40" in text
