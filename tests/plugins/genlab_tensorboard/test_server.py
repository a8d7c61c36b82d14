"""A real TensorBoard shows a run as it should."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Tell = Callable[[int], Any]
RUN = "ünet [1]/tensorboard"


class Server:
    """TensorBoard in a process of its own."""

    def __init__(self, logdir: Path, log: Path) -> None:
        command = [sys.executable, "-m", "tensorboard.main", "--port", "0", "--reload_interval", "1"]
        with log.open("w") as file:
            self.process = subprocess.Popen([*command, "--logdir", str(logdir)], stdout=file, stderr=file)
        self.url = wait_for(lambda: (found := re.search(r"http://localhost:\d+/", log.read_text())) and found[0])

    def ask(self, page: str, **query: str) -> Any:
        url = f"{self.url}data/plugin/{page}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)

    def steps(self, tag: str) -> list[int]:
        return [step for _, step, _ in self.ask("scalars/scalars", run=RUN, tag=tag)]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def wait_for(ask: Callable[[], Any]) -> Any:
    """What `ask` gives as soon as that is anything."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing within a minute")


@pytest.fixture
def server(folder: Path, tell: Tell, tmp_path: Path) -> Iterator[Server]:
    tell(0).until(60)
    server = Server(folder.parent, tmp_path / "log.txt")
    try:
        wait_for(lambda: server.ask("scalars/tags"))
        yield server
    finally:
        server.stop()


def test_it_shows_curves_pictures_texts_and_charts(server: Server, tell: Tell) -> None:
    tags = server.ask("scalars/tags")[RUN]
    assert {"loss/generator/l1", "validation/l1", "weights/gradient_norm/generator/encoder 1"} <= set(tags)
    assert server.steps("validation/l1") == [20, 40, 60]

    pictures = server.ask("images/tags")[RUN]
    assert sorted(pictures) == [f"preview (condition, prediction, target)/cmp_{number}.jpg" for number in (1, 2)]

    facts = server.ask("text/text", run=RUN, tag="facts")[0]["text"]
    cells = re.findall(r"<t[hd]>(.*?)</t[hd]>", facts)
    assert cells == [
        *("title", "Ünet, *labels*", "device", "cpu | 2 threads"),
        *("data", "pairs in /data/my_facades_[v2]/*.jpg and &lt;em&gt;more&lt;/em&gt;"),
    ]
    recipe = server.ask("text/text", run=RUN, tag="recipe")[0]["text"]
    code = 'title = "```"\n\n[generator]\nname = "unet"  # &lt;b&gt;bold&lt;/b&gt;\n'
    assert recipe == f"<pre><code>{code}</code></pre>"

    page = server.ask("custom_scalars/layout")
    charts = {
        (category["title"], chart["title"]): chart for category in page["category"] for chart in category["chart"]
    }
    shown = {
        name: {
            tag
            for pattern in chart["multiline"]["tag"]
            for tag in server.ask("custom_scalars/scalars", run=RUN, tag=pattern)["tag_to_events"]
        }
        for name, chart in charts.items()
    }
    assert shown == {
        ("Validation and training pairs", "l1"): {"validation/l1", "train/l1"},
        ("Validation and training pairs", "psnr"): {"validation/psnr", "train/psnr"},
        ("Losses", "Terms of all phases"): {"loss/generator/l1", "loss/discriminator/adversarial"},
        ("Gradients of every level", "Generator"): {
            f"weights/gradient_norm/generator/{x} 1" for x in ("encoder", "decoder")
        },
        ("Gradients of every level", "Discriminator"): {"weights/gradient_norm/discriminator/convolution 1"},
        ("Gradients relative to weights", "Generator"): {"weights/gradient_to_weight/generator/encoder 1"},
        ("Gradients relative to weights", "Discriminator"): {"weights/gradient_to_weight/discriminator/convolution 1"},
    }

    # The run is resumed from step 30 while TensorBoard is open.
    tell(30).until(40)
    wait_for(lambda: server.steps("loss/generator/l1")[-1] == 40)
    assert server.steps("loss/generator/l1") == [10, 20, 30, 40]
    assert server.steps("validation/l1") == [20, 40]
    assert len(server.ask("text/text", run=RUN, tag="recipe")) == 1


def test_it_shows_nothing_of_what_a_resumed_run_forgot(folder: Path, tell: Tell, tmp_path: Path) -> None:
    """Not even curves that have not gone on yet."""
    tell(0).until(60)
    tell(30)
    server = Server(folder.parent, tmp_path / "log.txt")
    try:
        wait_for(lambda: server.ask("scalars/tags"))
        assert server.steps("validation/l1") == [20]
    finally:
        server.stop()
