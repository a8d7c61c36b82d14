"""Tables of a recipe's data for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from genlab.cli.output import make_console, print_table
from genlab.inspection.statistics import ClassStatistics, ImageStatistics, SideStatistics
from genlab.inspection.suspicion import Suspicion
from genlab.interfaces.dataset import SideName, Split

_BARS = "▁▂▃▄▅▆▇█"


def print_statistics(statistics: Mapping[Split, Mapping[SideName, SideStatistics]]) -> None:
    """Print type, values and histogram of each image side, and the shares of the classes of each label side."""
    sides = {f"{split} {name}": found for split, by_name in statistics.items() for name, found in by_name.items()}
    images = [_row(name, found) for name, found in sides.items() if isinstance(found, ImageStatistics)]
    labels = [_classes(name, found) for name, found in sides.items() if isinstance(found, ClassStatistics)]
    console = make_console(soft_wrap=True)
    if images:
        print_table(("side", "type", "values", "99.8% within", "range", "histogram"), images)
        console.print()
    if labels:
        console.print(*labels, sep="\n")
        console.print()


def print_suspicions(suspicions: Mapping[Split, Sequence[Suspicion]]) -> None:
    """Warnings; one that both splits have is told once, by the values of the training pairs."""
    splits: dict[tuple[str, SideName | None], list[str]] = {}
    texts: dict[tuple[str, SideName | None], str] = {}
    for split, found in suspicions.items():
        for suspicion in found:
            key = (suspicion.check, suspicion.side)
            splits.setdefault(key, []).append(split)
            texts.setdefault(key, str(suspicion))
    for key, text in texts.items():
        print_warning(f"in {' and '.join(splits[key])}, {text}")


def print_warning(text: str) -> None:
    """A warning about data on standard output."""
    make_console(soft_wrap=True).print(Text("warning: ", "bold yellow").append(text + "\n", "default"))


def histogram_bars(shares: Sequence[float]) -> str:
    """Bars of eight heights, one for two shares each, the highest for the largest; a space where there is none."""
    heights = [sum(shares[place : place + 2]) for place in range(0, len(shares), 2)]
    return "".join(_BARS[min(7, int(8 * height / max(heights)))] if height else " " for height in heights)


def _row(name: str, found: ImageStatistics) -> tuple[str, ...]:
    intervals = ((found.minimum, found.maximum), found.bulk, found.range)
    texts = (f"{_number(low)} to {_number(high)}" for low, high in intervals)
    return name, found.dtype, *texts, histogram_bars(found.histogram)


def _number(value: float) -> str:
    return f"{value:.0f}" if 1_000 <= abs(value) < 1e7 else f"{value:.4g}"


def _classes(name: str, found: ClassStatistics) -> str:
    ranked = sorted(enumerate(found.shares), key=lambda item: -item[1])
    seen = ", ".join(f"{index} ({share:.1%})" for index, share in ranked if share)
    never = ", ".join(str(index) for index, share in enumerate(found.shares) if not share)
    ignored = f"; ignored: {found.ignored:.1%}" if found.ignored else ""
    return f"Classes of {name}, {found.dtype}: {seen}{f'; never: {never}' if never else ''}{ignored}"
