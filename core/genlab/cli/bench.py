"""`gen bench`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument, TrustOption

if TYPE_CHECKING:
    from genlab.tools.bench.report import Benchmark, Measurement


def bench(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    rounds: Annotated[int, typer.Option(min=2, metavar="N", help="Steps to measure of each implementation.")] = 20,
    plugin: PluginOption = [],  # noqa: B006
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Benchmark a recipe's training step against the plain implementation."""
    import genlab
    from genlab.cli.output import print_json, progress_bar

    with progress_bar("rounds") as on_progress:
        found = genlab.bench(
            recipe,
            overrides=overrides,
            plugins=plugin,
            rounds=rounds,
            trust=trust,
            on_progress=on_progress,
        )
    if json:
        print_json(found.as_json())
    else:
        _print(found)


def _print(found: Benchmark) -> None:
    from rich.text import Text

    from genlab.cli.output import make_console, print_table

    console = make_console(soft_wrap=True)
    height, width = found.size
    console.print()
    console.print(f"{found.recipe}  {height} x {width}, batch {found.batch_size}, {found.device}")
    console.print(f"{found.machine['processor']}, torch {found.versions['torch']}\n")
    sides = {"plain": found.reference, "genlab": found.genlab}
    print_table(
        ("", *sides),
        [
            ("seconds a step", *(f"{side.median:.3g}" for side in sides.values())),
            ("  quartiles", *(" to ".join(f"{second:.3g}" for second in side.spread) for side in sides.values())),
            ("images a second", *(f"{found.images_per_second(side):.3g}" for side in sides.values())),
            ("of the matrix rate", *(f"{found.utilization(side):.0%}" for side in sides.values())),
            ("memory", *(f"{side.memory / 2**30:.2f} GiB" for side in sides.values())),
            ("first step", *(f"{side.first_step:.2g} s" for side in sides.values())),
            *_parts(sides),
        ],
        right=sides,
    )
    low, high = found.speedup_quartiles
    console.print(
        Text(f"\n{found.speedup:.2f} times as fast", "bold").append(
            f" as the plain implementation (quartiles of {len(found.speedups)} rounds: {low:.2f} to {high:.2f}).",
            "default",
        )
    )
    console.print(f"Data stall: {found.waiting:.1%} of genlab's time is spent waiting for pairs.")
    if found.loop is not None:
        console.print(f"Overhead of the loop (events, logging, progress): {found.loop:.2%}.")
    console.print(
        f"Matrix products reach {found.matrix_rate / 1e9:,.0f} GFLOP/s here, and a step takes"
        f" {_giga(found.flops)} GFLOP in the plain implementation.\n",
        style="dim",
    )


def _giga(count: int) -> str:
    """A count in 1e9, in whole ones unless it is small."""
    return f"{count / 1e9:,.0f}" if count >= 1e10 else f"{count / 1e9:.2g}"


def _parts(sides: dict[str, Measurement]) -> list[tuple[str, ...]]:
    """The shares of a step's parts, in the order in which they come."""
    names = list(dict.fromkeys(name for side in sides.values() for name in side.shares))
    return [(f"  {name}", *(f"{side.shares.get(name, 0):.0%}" for side in sides.values())) for name in names]
