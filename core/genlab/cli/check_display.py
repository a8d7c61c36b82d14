"""Conformance results of a component in a terminal, test by test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.text import Text

from genlab.cli.output import make_console, print_json
from genlab.testing.check import CheckedComponent, Result

_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("-", "yellow")}


def print_checks(checks: Iterable[CheckedComponent]) -> bool:
    """Print results as they arrive; returns True if all tests pass."""
    counts: Counter[str] = Counter()
    console = make_console(soft_wrap=True)
    for checked in checks:
        console.print(Text(f"\n{checked.component}", "bold").append(f"  {checked.component.plugin}\n", "dim"))
        last = ""
        for result in checked.results:
            console.print(_line(result, last))
            counts[result.outcome] += 1
            last = result.why or last
    console.print(Text(f"\n{', '.join(f'{count} {outcome}' for outcome, count in counts.items())}", "bold"))
    return not counts["failed"]


def _line(result: Result, last: str) -> Text:
    """A test's name and reason of failure, unless the previous one failed for the same reason."""
    mark, style = _MARKS[result.outcome]
    text = Text(f"  {mark} ", style).append(result.test.removeprefix("test_").replace("_", " "), "default")
    why = "the same" if result.why and result.why == last else result.why
    return text.append(f"\n      {why}", style) if why else text


def print_checks_as_json(checks: Iterable[CheckedComponent]) -> bool:
    """Print all results at once; returns True if all tests pass."""
    found = [_as_dict(checked) for checked in checks]
    print_json(found)
    return all(result["outcome"] != "failed" for entry in found for result in entry["results"])


def _as_dict(checked: CheckedComponent) -> dict[str, Any]:
    component = checked.component
    return {
        "kind": component.kind.name,
        "name": component.name,
        "package": component.plugin.package,
        "version": component.plugin.version or None,
        "results": [result._asdict() for result in checked.results],
    }
