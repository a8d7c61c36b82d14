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
        retrained: the first and the last of the steps that were trained again and compared; None of other rows.
    """

    subject: str
    outcome: Outcome
    detail: str
    retrained: tuple[int, int] | None = None


def retrained_steps(rows: Iterable[CertificateRow]) -> set[int]:
    """The steps that were trained again for some rows."""
    spans = [row.retrained for row in rows if row.retrained]
    return {step for first, last in spans for step in range(first, last + 1)}


@dataclass(frozen=True)
class Certificate:
    """Certificate of what was verified of a run, how, and what could not be.

    Args:
        run: the run's folder.
        id: the run's.
        made: when it was verified.
        steps: how many steps the run has trained.
        history: sentences on where it was interrupted and resumed.
        facts: about the run, by name: title, when it began, by which command, what changed on the way.
        rows: what was checked.
        versions: of the libraries and plugins by name, when the run was made and now; None where there is none.
        machine: likewise.
        hashes: SHA-256 of the run's files, of its data and of the code that trained it, as it recorded them.
    """

    run: str
    id: str
    made: datetime
    steps: int
    history: Sequence[str]
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
        return "verified" if self.confirmed_steps else "not verified"

    @property
    def confirmed_steps(self) -> int:
        """Number of steps that gave what the run recorded when they were trained again."""
        return len(retrained_steps(row for row in self.rows if row.outcome == "verified"))

    @property
    def summary(self) -> str:
        """The headline: the outcome, its date, the share of steps that were trained again, and what is not covered."""
        return " ".join([self._verdict(), self._share(), *self.history, "Evaluations (gen evaluate) are not covered."])

    def _verdict(self) -> str:
        found = {
            "verified": "all that could be checked was as the run recorded it",
            "differs": "something differed from what the run recorded",
            "not verified": "nothing differed from what the run recorded",
        }
        return f"On {self.made:%Y-%m-%d}, {found[self.outcome]}."

    def _share(self) -> str:
        if not (count := self.confirmed_steps):
            return "No step was confirmed by training it again."
        share = f"{100 * count / self.steps:.3g} %"
        return f"{count:,} of its {self.steps:,} steps ({share}) were trained again and agreed."

    def as_json(self) -> dict[str, Any]:
        """The certificate as JSON values."""
        found = {"outcome": self.outcome, "summary": self.summary, "confirmed_steps": self.confirmed_steps}
        return {**found, **asdict(self)}

    def markdown(self) -> str:
        """The certificate as Markdown, which fits into a paper's appendix."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Certificate of the run {_cell(self.facts.get('title') or self.run)}"
        yield f"\n**{self.summary}**\n"
        facts = {
            "verified": f"{self.made:%Y-%m-%d %H:%M} UTC",
            "run": f"{self.run}, id {self.id or 'none'}",
            **self.facts,
        }
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
