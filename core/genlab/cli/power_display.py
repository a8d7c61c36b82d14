"""Display of the differences that more seeds of an ablation would show, and of what these cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from genlab.ablation.power import MOST_SEEDS, POWER, SPREAD_CONFIDENCE, ArmPower, Between, PowerEstimate
from genlab.cli.output import clock, make_console
from genlab.util.escapes import one_line


def print_power(power: PowerEstimate, metric: str) -> None:
    """Print a row for each arm, and what the ranges go by, to standard error."""
    console = make_console(stderr=True, soft_wrap=True)
    if not any(found.detectable for found in power.arms.values()):
        console.print(
            f"Which difference of {metric} more seeds would show is unknown before an arm and "
            f"{one_line(power.baseline)} have finished two seeds in common, with a spread."
        )
        return
    console.print(
        f"True difference of {metric} from {one_line(power.baseline)} that is shown with a power of {POWER:.0%}:"
    )
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("arm", "finished", *(f"{size} seeds" for size in power.sizes)):
        table.add_column(column, overflow="fold")
    for arm, found in power.arms.items():
        table.add_row(Text(one_line(arm)), str(found.n), *_differences(found, power))
    make_console(stderr=True).print(table)
    for line in (*_wished(power), _explain(power)):
        console.print(line)


def power_as_json(power: PowerEstimate, metric: str) -> dict[str, Any]:
    """The estimate in plain JSON values; null is unknown, and at the end of a range more than is counted."""
    arms = {
        arm: {
            "n": found.n,
            "deviation": found.deviation,
            "deviation_range": found.interval,
            "detectable": {str(size): between for size, between in found.detectable.items()},
            "seeds": found.seeds,
            "seconds": found.seconds,
            "unknown": found.unknown,
        }
        for arm, found in power.arms.items()
    }
    return {"metric": metric, "power": POWER, "spread_confidence": SPREAD_CONFIDENCE, "arms": arms}


def _differences(found: ArmPower, power: PowerEstimate) -> list[str]:
    if found.unknown:
        return [found.unknown] * len(power.sizes)
    return [f"{low:.2g} to {high:.2g}" for low, high in (found.detectable[size] for size in power.sizes)]


def _wished(power: PowerEstimate) -> Iterator[str]:
    """A line for each arm with the seeds that show the smallest difference that matters, and their cost."""
    if power.schedule.smallest is None:
        yield "How many seeds a difference of 0.01 takes, and how long: --set ablation.smallest_difference=0.01."
    for arm, found in power.arms.items():
        if found.seeds and found.seconds:
            time = " to ".join(clock(end) for end in dict.fromkeys(found.seconds) if end is not None)
            more = " or more" if found.seconds.high is None else ""
            yield (
                f"{one_line(arm)}: {_seeds(found.seeds)} seeds show {power.schedule.smallest:.4g}; "
                f"to train them and the baseline's takes {time}{more}."
            )


def _seeds(between: Between) -> str:
    low, high = between
    if high is None:
        return f"{low:.0f} to more than {MOST_SEEDS}" if low < MOST_SEEDS else f"more than {MOST_SEEDS}"
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def _explain(power: PowerEstimate) -> str:
    """Explanation of what the ranges go by, and how far they can be trusted."""
    known = [found.n for found in power.arms.values() if found.detectable]
    arms, looks = len(power.scores), len(power.schedule.looks)
    more = f"{looks} looks (a look more with each seed above {len(power.schedule.seeds)})"
    parts = [f"{arms} arms"] * (arms > 1) + [more] * power.schedule.is_sequential
    divided = f", with the error divided over {' and '.join(parts)}" if parts else ""
    words = f"A range goes by the {SPREAD_CONFIDENCE:.0%} interval of the spread over the finished seeds{divided}."
    if min(known) == 2:
        words += " Two seeds say little: their range is a factor of 13 wide, that of three 5, that of five 3."
    return f"{words} Use other seeds than these for a new ablation."
