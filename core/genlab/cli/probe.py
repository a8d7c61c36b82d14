"""`gen probe`."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.options import CheckpointOption, DeviceName, DeviceOption, JsonOption, RunArgument, TrustOption

if TYPE_CHECKING:
    from genlab.interfaces.listener import Interval, Probed


def probe(
    run: RunArgument,
    pairs: Annotated[int, typer.Option(min=2, metavar="N", help="Number of validation pairs to use.")] = 16,
    checkpoint: CheckpointOption = "last",
    device: DeviceOption = DeviceName.AUTO,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Measure the effect of each skip connection on predictions by replacing its features."""
    import genlab
    from genlab.cli.output import print_json, print_next, progress_bar
    from genlab.tools.probe.report import probe_as_json

    with progress_bar("skip connections") as on_progress:
        found = genlab.probe(
            run,
            pairs=pairs,
            checkpoint=checkpoint,
            device=device.value,
            trust=trust,
            on_progress=on_progress,
        )
    if json:
        print_json(probe_as_json(found))
        return
    _print_answer(found)
    _print_skips(found)
    _print_levels(found)
    folder = quote(str(found.results))
    pictures = {f"see what {name} does": f"{folder}/{name}.png" for name in ("shuffle", "cut", "average")}
    print_next({"see the curves": f"{folder}/skips.svg", **pictures})


def _print_answer(probed: Probed) -> None:
    """Print the skips by their effect when given another image's features, which are in distribution."""
    from genlab.cli.output import make_console

    ranked = sorted(
        (effect for effect in probed.effects if effect.replacement == "shuffle"),
        key=lambda effect: -effect.change.mean,
    )
    moves = ", ".join(f"level {effect.level} by {effect.change.mean:.3f}" for effect in ranked)
    sentence = f"\nLargest change of predictions from another image's features first: {moves}."
    make_console().print(sentence, style="bold", soft_wrap=True)


def _print_skips(probed: Probed) -> None:
    from genlab.cli.output import make_console, print_table

    heads = ("change", "error", "high frequencies")
    make_console().print(f"\nEffect on {probed.pairs} predictions of replacing one skip connection's features\n")
    rows = [
        (
            str(effect.level),
            effect.replacement,
            _figure(effect.change),
            _signed(effect.error) if effect.error else "-",
            _share(effect.high_frequency),
        )
        for effect in probed.effects
    ]
    print_table(("level", "carries", *heads), rows, right=("level", *heads))
    make_console().print(
        "\nlevel: 1 is the outermost. carries: zeros (cut), another image's features (shuffle), or mean features"
        " (average).\nchange: mean absolute difference, of images in [-1, 1] or of probabilities."
        "\nerror: increase of the distance to the target. high frequencies: their energy relative to before."
        "\n± is one standard deviation over the pairs.\n",
        style="dim",
    )


def _print_levels(probed: Probed) -> None:
    from genlab.cli.output import print_table

    rows = [
        (name, f"{gradient:.3g}", f"{gradient / weight:.3g}" if (weight := probed.weight_norms[name]) else "-")
        for name, gradient in probed.gradient_norms.items()
    ]
    heads = ("gradient norm", "relative to the weights")
    print_table(("level", *heads), rows, right=heads)


def _figure(interval: Interval) -> str:
    return f"{interval.mean:.4f} ± {interval.high - interval.mean:.4f}"


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.4f} ± {interval.high - interval.mean:.4f}"


def _share(interval: Interval) -> str:
    return f"{interval.mean:.0%} ± {interval.high - interval.mean:.0%}"
