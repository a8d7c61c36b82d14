"""Files of events, as TensorBoard reads them."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

from genlab import Started

_NAME = "events.out.tfevents"
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")


class EventFile:
    """A new file of events.

    It is opened for each event, so that whatever ends the process leaves whole events, which can be seen at once.

    Args:
        folder: where to make it.
        step: events of later steps that a TensorBoard has read from older files are void; none if nothing is given.
        name: the end of its name; otherwise the time, by which it sorts behind older ones.
    """

    def __init__(self, folder: Path, step: int | None = None, name: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{_NAME}.{name or time.time_ns()}"
        self._path.unlink(missing_ok=True)
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if step is not None:
            start = SessionLog(status=SessionLog.START)
            self._write(Event(wall_time=time.time(), step=step + 1, session_log=start))

    def add(self, step: int, values: Sequence[Summary.Value]) -> None:
        """Append values of a step."""
        self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def _write(self, event: Event) -> None:
        with self._path.open("ab") as file:
            RecordWriter(file).write(event.SerializeToString())


def rewind(folder: Path, started: Started) -> list[str]:
    """Cut events that are repeated after a resume, and an event cut short, off the files in a folder.

    TensorBoard's fast loader does not heed the start of a session, which tells the other one the same.

    Args:
        folder: where the files are.
        started: the start or the resume.

    Returns:
        The tags of figures that are left.
    """
    tags: dict[str, None] = {}
    for path in sorted(folder.glob(f"{_NAME}.*")):
        end = 0
        with path.open("rb") as file:
            for record in _records(file):
                if _is_repeated(record.event, started):
                    break
                end = record.end
                tags |= dict.fromkeys(v.tag for v in record.event.summary.value if v.HasField("simple_value"))
        os.truncate(path, end)
    return list(tags)


def _is_repeated(event: Event, started: Started) -> bool:
    if event.HasField("session_log"):
        return False  # it bears the number of the step that it will write first
    values = event.summary.value
    is_validation = any(value.tag.startswith("validation/") for value in values)
    is_preview = any(value.HasField("image") for value in values)
    is_due_again = (is_validation and not started.validated) or (is_preview and not started.previewed)
    return event.step > started.step - is_due_again


class _Record(NamedTuple):
    event: Event
    end: int


def _records(file: BinaryIO) -> Iterator[_Record]:
    """The whole events in a file, and where each ends; an incomplete event at the end is dropped.

    An event's record is its length, a checksum of that, the event itself, and a checksum of it. The last one is taken
    on trust, as it takes seconds to compute for many pictures.
    """
    while length := file.read(_LENGTH.size):
        if file.read(_CHECKSUM.size) != _CHECKSUM.pack(masked_crc32c(length)):
            return
        size = _LENGTH.unpack(length)[0]
        data = file.read(size)
        if len(data) < size or len(file.read(_CHECKSUM.size)) < _CHECKSUM.size:
            return
        yield _Record(Event.FromString(data), file.tell())
