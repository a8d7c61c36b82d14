"""The report of a recipe's data for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from genlab.cli.output import make_console, print_table
from genlab.images.folder import describe_left_out
from genlab.inspection.statistics import ClassStatistics, ImageStatistics, SideStatistics
from genlab.inspection.suspicion import Suspicion
from genlab.interfaces.dataset import SideName, Split

if TYPE_CHECKING:
    from genlab.tools.data_report import DataReport
    from genlab.tools.split_report import SplitReport

_BARS = "▁▂▃▄▅▆▇█"


def data_report_as_json(found: DataReport) -> dict[str, Any]:
    """A report in plain JSON values, without pictures."""
    splits = {
        name: {
            "description": split.description,
            "pairs": split.pairs,
            "images": split.images,
            "a": split.a,
            "b": split.b,
            "sizes": split.sizes,
            "repeated": split.repeated,
            "statistics": split.statistics,
            "ignored": split.ignored,
            "ignored_pairs": split.ignored_pairs,
            "suspicions": [suspicion._asdict() for suspicion in split.suspicions],
        }
        for name, split in found.splits.items()
    }
    return {
        "source": found.source,
        "reason": found.reason,
        "left_out": found.left_out,
        "splits": splits,
        "shared": found.shared,
    }


def print_data_report(found: DataReport) -> None:
    """Print tables of the splits, and warnings of what is suspicious."""
    console = make_console(soft_wrap=True)
    console.print()
    for line in (found.source, found.reason, *(split.description for split in found.splits.values())):
        if line:
            console.print(line)
    if found.left_out:
        console.print(f"Left out: {describe_left_out(found.left_out)}")
    console.print()
    rows = [(name, _count(split), split.a, split.b, _listed(split.sizes)) for name, split in found.splits.items()]
    print_table(("split", "pairs", "side a", "side b", "height x width"), rows, right=("pairs",))
    console.print()
    _print_statistics({name: split.statistics for name, split in found.splits.items()})
    _print_suspicions({name: split.suspicions for name, split in found.splits.items()})
    for name, split in found.splits.items():
        if split.ignored is not None:
            console.print(f"Pixels of {name} that do not count: {split.ignored:.1%}\n")
        if split.ignored_pairs:
            what = f"pairs of which no pixel counts: {len(split.ignored_pairs)} ({_some(split.ignored_pairs)})"
            print_warning(f"in {name}, {what}")
        if split.repeated:
            what = f"{_noun(split)} that equal another one: {len(split.repeated)} ({_some(split.repeated)})"
            print_warning(f"in {name}, {what}")
    if found.shared:
        noun = _noun(found.splits["validation"])
        print_warning(
            f"validation {noun} that are training {noun} too: {len(found.shared)} ({_some(found.shared)}), on which"
            " validation does not measure generalization."
        )


def _count(split: SplitReport) -> str:
    """Number of pairs, or of each side's images."""
    if split.pairs is not None:
        return f"{split.pairs:,}"
    return ", ".join(f"{side}: {count:,}" for side, count in split.images.items())


def _noun(split: SplitReport) -> str:
    return "images" if split.pairs is None else "pairs"


def _listed(sizes: Mapping[str, int]) -> str:
    """Sizes with their counts, the frequent ones first."""
    if len(sizes) == 1:
        return next(iter(sizes))
    first = ", ".join(f"{size} ({count:,})" for size, count in list(sizes.items())[:3])
    return first + (f" and {len(sizes) - 3:,} other sizes" if len(sizes) > 3 else "")


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")


def _print_statistics(statistics: Mapping[Split, Mapping[SideName, SideStatistics]]) -> None:
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


def _print_suspicions(suspicions: Mapping[Split, Sequence[Suspicion]]) -> None:
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
