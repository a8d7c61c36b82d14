"""Which form of a convolution is fastest on this CPU, for each shape in the paper's networks.

    python benchmarks/convolutions.py            batches of 1 and 4
    python benchmarks/convolutions.py 8          others

Forward and backward together, in milliseconds, the median of rounds in which the forms take turns. The star marks what
`genlab_pix2pix.kernels.convolutions` takes, by shape alone, whichever is fastest on this machine today.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "plugins")]

from genlab.engine.runtime import keep_freed_memory  # noqa: E402
from genlab.tools.bench.measure import processor  # noqa: E402
from genlab_pix2pix.kernels import one_channel, skinny, subpixel, winograd  # noqa: E402
from genlab_pix2pix.kernels.convolutions import Convolution, TransposedConvolution  # noqa: E402

Form = Callable[[Tensor, Tensor], Tensor]
ROUNDS = 9
FORMS = ("native", "skinny", "winograd", "one_channel", "subpixel")


class Shape(NamedTuple):
    """A layer of the networks, and the side of its input."""

    name: str
    layer: nn.Module
    inputs: int
    side: int


def shapes() -> Iterator[Shape]:
    widths = [64, 128, 256, 512, 512, 512, 512, 512]
    for level, (inputs, outputs) in enumerate(zip([3, *widths], widths), start=1):  # noqa: B905
        yield Shape(f"encoder {level}", Convolution(inputs, outputs, 4, 2, 1, bias=False), inputs, 512 >> level)
    for level in range(8, 0, -1):
        inputs = widths[level - 1] * (1 if level == 8 else 2)
        outputs = widths[level - 2] if level > 1 else 3
        yield Shape(
            f"decoder {level}", TransposedConvolution(inputs, outputs, 4, 2, 1, bias=False), inputs, 256 >> level
        )
    for number, (inputs, outputs, side, stride) in enumerate(
        [(6, 64, 256, 2), (64, 128, 128, 2), (128, 256, 64, 2), (256, 512, 32, 1), (512, 1, 31, 1)], start=1
    ):
        yield Shape(f"layer {number}", Convolution(inputs, outputs, 4, stride, 1, bias=False), inputs, side)


def forms(layer: nn.Module) -> dict[str, Form]:
    """The ways to compute a layer."""
    stride, padding = layer.stride, layer.padding
    if isinstance(layer, nn.ConvTranspose2d):
        return {
            "native": lambda x, weight: F.conv_transpose2d(x, weight, None, stride, padding),
            "skinny": lambda x, weight: skinny.convolve_transposed(x, weight, stride, padding),
            "subpixel": subpixel.convolve_transposed,
        }
    found: dict[str, Form] = {
        "native": lambda x, weight: F.conv2d(x, weight, None, stride, padding),
        "skinny": lambda x, weight: skinny.convolve(x, weight, stride, padding),
    }
    if stride == (1, 1):
        found["winograd"] = lambda x, weight: winograd.convolve(x, weight, padding)
        if layer.out_channels == 1:
            found["one_channel"] = lambda x, weight: one_channel.convolve(x, weight, padding)
    return found


def milliseconds(form: Form, x: Tensor, weight: Tensor) -> float:
    """Of a forward and a backward pass."""
    before = time.perf_counter()
    output = form(x, weight)
    torch.autograd.grad(output, (x, weight), torch.ones_like(output))
    return 1e3 * (time.perf_counter() - before)


_FUNCTIONS = [
    *((module, "convolve") for module in (one_channel, skinny, winograd)),
    *((module, "convolve_transposed") for module in (skinny, subpixel)),
]


def taken(layer: nn.Module, x: Tensor) -> str:
    """Which form the layer takes, by what it calls."""
    called: list[str] = []
    originals = {(module, name): getattr(module, name) for module, name in _FUNCTIONS}
    for (module, name), original in originals.items():
        setattr(module, name, lambda *given, m=module, f=original: called.append(m.__name__.split(".")[1]) or f(*given))
    try:
        with torch.no_grad():
            layer(x)
    finally:
        for (module, name), original in originals.items():
            setattr(module, name, original)
    return called[0] if called else "native"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batches", type=int, nargs="*", default=[1, 4], help="batch sizes")
    arguments = parser.parse_args()
    print(f"{processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    for count in arguments.batches:
        print(f"{'batch ' + str(count):12}" + "".join(f"{form:>10}" for form in FORMS))
        for name, layer, inputs, side in shapes():
            x = torch.randn(count, inputs, side, side, requires_grad=True)
            weight = layer.weight
            times: dict[str, list[float]] = {form: [] for form in forms(layer)}
            for _ in range(ROUNDS + 1):
                for form, function in forms(layer).items():
                    times[form].append(milliseconds(function, x, weight))
            mine = taken(layer, x.detach())
            medians = {form: statistics.median(found[1:]) for form, found in times.items()}
            cells = {form: f"{median:.1f}{'*' if form == mine else ' '}" for form, median in medians.items()}
            print(f"{name:12}" + "".join(f"{cells.get(form, ''):>10}" for form in FORMS), flush=True)
        print()


if __name__ == "__main__":
    with keep_freed_memory():
        main()
