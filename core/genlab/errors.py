"""Errors for users, as one tree.

GenlabError
├── ArgumentError               an argument of a Python function is of another type, or out of its range
├── RecipeError                 the recipe, or an override of the command line, is at fault
├── PluginError                 a component is missing or breaks its interface
├── DataError                   pairs cannot be read or do not fit
│   ├── DataUnavailableError    a source of data is not available on this machine
│   └── PredictionError         some of the files to predict from failed
├── DeviceError                 the requested device is not available
├── RunError                    a run's folder is not what the command needs
├── StorageError                a file cannot be written: the disk is full, say
└── TrainingError               training cannot continue
    └── LostProcessError        another process of the same training ended, or does not answer

The command line prints a `GenlabError` as one paragraph. Anything else that is raised is a defect of genlab (or of a
plugin) and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

_LISTED = 20
"""How many of several faults an error names."""
_LONGEST = 1000
"""Letters of a line of an error; values that a user gives may be of any length."""


def _shortened(text: str | None) -> str | None:
    """The text, with the middle of long lines left out."""
    if text is None or len(text) <= _LONGEST:
        return text
    return "\n".join(
        line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 4 :]}"
        for line in text.split("\n")
    )


class GenlabError(Exception):
    """Base class of errors that a user can fix.

    Args:
        what: what was found and what is valid, as one or two sentences.
        where: the location of the fault: a file, a folder, a setting.
        hint: what to do now.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = _shortened(what) or ""
        self.where = _shortened(where)
        self.hint = _shortened(hint)
        super().__init__(self.what)

    @override
    def __str__(self) -> str:
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\n{self.hint}" if self.hint else first


class ArgumentError(GenlabError, TypeError, ValueError):
    """An argument of a Python function that is of another type or out of its range, so also what Python raises then."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a recipe.

    Args:
        path: the keys that lead to the value, such as `("generator", "levels")`.
        what: what was given and what is valid.
        hint: the nearest valid name, or what to do.
        at_key: whether the key itself is at fault, rather than its value.
        place: `file:line:column`, filled in when the fault is located.
        quote: the line of the recipe with a caret under the place, filled in likewise.
    """

    path: tuple[str | int, ...]
    what: str
    hint: str | None = None
    at_key: bool = False
    place: str | None = None
    quote: str | None = None

    def __post_init__(self) -> None:
        for name in ("what", "hint", "place"):
            object.__setattr__(self, name, _shortened(getattr(self, name)))

    @override
    def __str__(self) -> str:
        head = f"{self.place}: {self.what}" if self.place else self.what
        return "\n".join(part for part in (head, self.quote, self.hint) if part)


class RecipeError(GenlabError):
    """A recipe that cannot be run, with all of its faults at once; the message names the first twenty."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n\n".join(filter(None, (*map(str, self.listed), self.more))))

    @property
    def listed(self) -> tuple[Fault, ...]:
        """The faults that a message names."""
        return self.faults[:_LISTED]

    @property
    def more(self) -> str | None:
        """Sentence on the faults that a message does not name, if there are any."""
        return f"and {len(self.faults) - _LISTED:,} more errors" if len(self.faults) > _LISTED else None


class PluginError(GenlabError):
    """A component that no plugin gives, or one that breaks its interface."""


class DataError(GenlabError):
    """Pairs that cannot be read, or that do not fit each other or the networks."""

    @classmethod
    def listing(cls, faults: Sequence[DataError], of: str, where: str | None = None) -> DataError:
        """One error for those of several files; of a single one, that itself.

        Args:
            faults: the errors, at least one.
            of: what they are of, such as `of 400 images`.
            where: the place of all of them, such as their folder.
        """
        if len(faults) == 1:
            return faults[0]
        lines = [f"  {fault.where}: {fault.what}" if fault.where else f"  {fault.what}" for fault in faults[:_LISTED]]
        if len(faults) > _LISTED:
            lines.append(f"  and {len(faults) - _LISTED:,} more")
        what = f"{len(faults):,} {of} cannot be used\n" + "\n".join(lines)
        hints = dict.fromkeys(fault.hint for fault in faults if fault.hint)
        return cls(what, where=where, hint=next(iter(hints)) if len(hints) == 1 else None)


class DataUnavailableError(DataError):
    """A source of data that is not available on this machine: no network, no such folder."""


class PredictionError(DataError):
    """Images that could not be predicted from; what could be was written.

    Args:
        written: each other source, a file or the key of a pair, and the file of its prediction, or its `SampledFiles`.
        failures: the reason of each failure, by source.
    """

    exit_code = 1

    def __init__(self, written: Mapping[Any, Any], failures: Mapping[Any, GenlabError]) -> None:
        count = len(written) + len(failures)
        reasons = [f"  {source}: {'. '.join(filter(None, (it.what, it.hint)))}" for source, it in failures.items()]
        images = "1 image" if count == 1 else f"{count:,} images"
        super().__init__("\n".join([f"{len(failures):,} of {images} could not be predicted:", *reasons]))
        self.written = written
        self.failures = failures


class DeviceError(GenlabError):
    """A device that this machine or this build of PyTorch does not have."""


class RunError(GenlabError):
    """A run's folder that is missing, in use, incomplete, or in the way."""


class StorageError(GenlabError):
    """A file that cannot be written: the disk is full, or permission is denied."""

    exit_code = 1


class TrainingError(GenlabError):
    """Training that cannot continue, such as one whose losses diverged."""

    exit_code = 1


class LostProcessError(TrainingError):
    """A training of several processes of which another one failed, which says why, or does not answer."""
