"""Sentences on how a run was trained, which the headline of its certificate has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from genlab.runs.manifest import Manifest
from genlab.tools.verify.metrics_file import read_records

_MOST = 3


def history(manifest: Manifest, metrics: Path) -> Iterator[str]:
    """Sentences on where a run was interrupted, and on when it was resumed, as far as its metrics.jsonl says so.

    Raises:
        RunError: metrics.jsonl cannot be read.
    """
    if manifest.status != "finished":
        yield f"The run has not finished: {manifest.status} after {manifest.step:,} of {manifest.steps:,} steps."
    if resumes := [*_resumes(metrics)]:
        more = f", and {len(resumes) - _MOST} more times" if len(resumes) > _MOST else ""
        yield f"It was resumed {', '.join(resumes[:_MOST])}{more}."


def _resumes(metrics: Path) -> Iterator[str]:
    """Steps and dates of all starts of the training but the first."""
    starts = [record for record in read_records(metrics) if record.get("event") == "started"]
    for index, record in enumerate(starts):
        with suppress(KeyError, TypeError, ValueError, OverflowError, OSError):
            if index or record["step"]:
                day = datetime.fromtimestamp(record["time"], UTC)
                yield f"after step {record['step']:,} ({day:%Y-%m-%d})"
