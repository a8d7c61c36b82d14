"""Certificate of what a verification found."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from genlab.util.escapes import escape_controls

Outcome = Literal["verified", "differs", "not verified"]

_SIGNS = re.compile(r"([\\`*\[\]|])")


@dataclass(frozen=True)
class CertificateRow:
    """Something that was checked, or could not be.

    Args:
        subject: what it is, such as `training pairs`.
        outcome: whether it is as the run recorded it.
        detail: how it was checked, what differs first, or why it could not be checked.
    """

    subject: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True)
class Certificate:
    """Certificate of what was verified of a run, how, and what could not be.

    Args:
        run: the run's folder.
        id: the run's.
        made: when it was verified.
        facts: about the run, by name: title, when it was made, by which command, what changed on the way.
        rows: what was checked.
        versions: of the libraries and plugins by name, when the run was made and now; None where there is none.
        machine: likewise.
        hashes: SHA-256 of the run's files, of its data and of the code that trained it, as it recorded them.
    """

    run: str
    id: str
    made: datetime
    facts: Mapping[str, str]
    rows: Sequence[CertificateRow]
    versions: Mapping[str, tuple[str | None, str | None]]
    machine: Mapping[str, tuple[str | None, str | None]]
    hashes: Mapping[str, str]

    @property
    def outcome(self) -> Outcome:
        """`differs` if anything does; `verified` if steps were trained again with what the run recorded as result."""
        found = {row.outcome for row in self.rows}
        if "differs" in found:
            return "differs"
        is_trained = any(row.outcome == "verified" and row.subject.startswith("step") for row in self.rows)
        return "verified" if is_trained else "not verified"

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
        return _SENTENCES[self.outcome]

    def as_json(self) -> dict[str, Any]:
        """The certificate as JSON values."""
        return {"outcome": self.outcome, **asdict(self)}

    def markdown(self) -> str:
        """The certificate as Markdown, which fits into a paper's appendix."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Certificate of the run {_cell(self.facts.get('title') or self.run)}"
        yield f"\n**{self.summary}**\n"
        facts = {"run": f"{self.run}, id {self.id or 'none'}", **self.facts}
        yield from _table(("", ""), ((name, _cell(value)) for name, value in facts.items()))
        for title, is_open in (("What was verified", False), ("What could not be verified", True)):
            rows = [row for row in self.rows if (row.outcome == "not verified") == is_open]
            if rows:
                yield f"\n## {title}\n"
                reason = "why" if is_open else "how"
                columns = ("subject", reason) if is_open else ("subject", "outcome", reason)
                yield from _table(
                    columns,
                    (
                        (_cell(row.subject), *(() if is_open else (_strong(row.outcome),)), _cell(row.detail))
                        for row in rows
                    ),
                )
        yield "\n## Versions and machine\n"
        both = {**self.versions, **self.machine}
        yield from _table(
            ("", "trained with", "verified with"), ((_cell(name), *map(_cell, both[name])) for name in both)
        )
        yield "\n## SHA-256\n"
        yield from _table(
            ("of", "as recorded"), ((_cell(name), f"`{_cell(value)}`") for name, value in self.hashes.items())
        )


_SENTENCES: dict[Outcome, str] = {
    "verified": "All that could be checked is as the run recorded it, and steps that were trained again gave the same."
    " The rest is listed below.",
    "differs": "Something differs from what the run recorded.",
    "not verified": "Nothing differs from what the run recorded, but no steps could be trained again.",
}


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _strong(outcome: Outcome) -> str:
    return f"**{outcome}**" if outcome == "differs" else outcome


def _cell(text: str | None) -> str:
    """A text in a table's cell, without meaning to Markdown and HTML."""
    plain = html.escape(escape_controls(" ".join((text or "none").split())), quote=False)
    return _SIGNS.sub(r"\\\1", plain)
