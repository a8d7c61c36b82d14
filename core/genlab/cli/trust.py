"""Question whether code that came with a run may be run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlab.registry.discovery.plugin_file import PluginFile


def ask_on_terminal(folder: Path, files: Sequence[PluginFile]) -> bool:
    """Ask on a terminal whether to run the plugin files of a run; no without a terminal, or without an answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    from rich.text import Text

    from genlab.cli.output import make_console

    console = make_console(stderr=True)
    console.print(Text(f"{folder} has code of its own that you have not run before:"))
    for file in files:
        console.print(Text(f"  {file.path}  sha256 {file.digest}"))
    console.print(Text("It would run with your rights. Run it, and remember it as trusted? [y/N] "), end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
