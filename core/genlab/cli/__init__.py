"""The command line: `gen`. One thin file per verb; nothing here imports torch when it is imported."""

from genlab.cli.app import main

__all__ = ["main"]
