"""Conformance tests of generators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

import torch
from torch import Tensor, nn
from typing_extensions import override

from genlab.interfaces.network import Generator, Network
from genlab.interfaces.role import FurtherInput
from genlab.testing.examples import images
from genlab.testing.network import Inputs
from genlab.testing.probing import count_calls, stir
from genlab.testing.suite import ConformanceError, require
from genlab.testing.two_sided import TwoSidedSuite

_USUAL = 32
_FAR = 4.0


class GeneratorSuite(TwoSidedSuite):
    """A generator's part of the contract."""

    kind = "generator"
    sides: ClassVar[tuple[str, str]] = ("in_channels", "out_channels")

    def generator(self) -> Generator:
        """A new generator with the suite's settings."""
        network = self.network()
        assert isinstance(network, Generator)
        return network

    @override
    def example(self, network: Network, seed: int = 0, count: int = 2) -> Inputs:
        """A condition, and the further inputs in their order."""
        size = self.size(network)
        return (images(count, 3, size, size, seed), *self.further(network, count, seed))

    def further(self, network: Network, count: int, seed: int = 0) -> Inputs:
        """Values of the further inputs, in their order."""
        assert isinstance(network, Generator)
        rng = torch.Generator().manual_seed(seed)
        return tuple(_further(name, size, count, rng) for name, size in network.inputs.items())

    @override
    def call(self, network: Network, *inputs: Tensor) -> Any:
        condition, *further = inputs
        assert isinstance(network.inputs, Mapping)
        return network(condition, **dict(zip(network.inputs, further, strict=True)))

    @override
    def shown(self, network: Network) -> Inputs:
        return self.example(network)[:1]

    def size(self, network: Network) -> int:
        """A usual size that the generator takes."""
        assert isinstance(network, Generator)
        return -(-_USUAL // network.size_multiple) * network.size_multiple

    def test_its_sizes_are_numbers(self) -> None:
        """`size_multiple` and `scale` are whole numbers, 1 at least."""
        network = self.network()
        for name in ("size_multiple", "scale"):
            given: object = getattr(network, name)
            require(isinstance(given, int) and given >= 1, f"its {name} is {given!r}; expected an integer >= 1")

    def test_a_prediction_has_the_stated_size(self) -> None:
        """That of its condition times `scale`, whatever the batch, the channels, and the multiples of its own."""
        for channels, network in self.of_channels():
            assert isinstance(network, Generator)
            base, step = self.size(network), network.size_multiple
            for count, height, width in ((1, base, base), (2, base, base + step), (1, base + step, base)):
                inputs = images(count, channels[0], height, width), *self.further(network, count)
                with torch.no_grad():
                    prediction = self.call(network, *inputs)
                given = tuple(prediction.shape) if isinstance(prediction, Tensor) else type(prediction).__name__
                wanted = (count, channels[1], network.scale * height, network.scale * width)
                require(given == wanted, f"for {channels[0]} channels in it gives {given}, and should give {wanted}")

    def test_its_output_is_finite(self) -> None:
        """Also for an image of a single color."""
        network = self.network().eval()
        condition, *further = self.example(network)
        with torch.no_grad():
            for color in (1.0, -1.0):
                finite = self.result(network, torch.full_like(condition, color), *further).isfinite().all()
                require(finite, "its output for an image of a single color is not finite")

    def test_its_output_has_no_bounds(self) -> None:
        """The last layer has no activation, which is the method's part: other weights lead to any value."""
        network = self.network().eval()
        inputs = self.example(network)
        lowest = highest = 0.0
        with torch.no_grad():
            for seed, amount in enumerate((0.3, 1.0, 3.0, 10.0)):
                stir(network, amount, seed)
                output = self.result(network, *inputs).nan_to_num(0)
                lowest, highest = min(lowest, output.min().item()), max(highest, output.max().item())
                if lowest < -_FAR and highest > _FAR:
                    return
        what = f"whatever its weights, its output is between {lowest:.3g} and {highest:.3g}"
        raise ConformanceError(f"{what}: leave the last activation to the method")

    def test_its_further_inputs_matter(self) -> None:
        """Each of `inputs` has a known name and a size, and another value for an image gives it another prediction."""
        network = self.generator().eval()
        known = get_args(FurtherInput)
        odd = [name for name in network.inputs if name not in known]
        require(not odd, f"its inputs have `{odd and odd[0]}`; expected {', '.join(known)}")
        wrong = [f"{name}: {size!r}" for name, size in network.inputs.items() if not _is_size(name, size)]
        require(not wrong, f"its inputs have {wrong and wrong[0]}; expected a size, of a time 1")
        stir(network, 0.1)
        condition, *further = self.example(network)
        with torch.no_grad():
            before = self.call(network, condition, *further)
            for at, name in enumerate(network.inputs):
                changed = further[at].clone()
                changed[1] = changed[0]  # the values of both images differ
                after = self.call(network, condition, *further[:at], changed, *further[at + 1 :])
                require(not after[1].equal(before[1]), f"the {name} of an image makes no difference to its prediction")

    def test_it_trains_on_a_single_image(self) -> None:
        """At batch 1, the usual for pix2pix."""
        network = self.network().train()
        output = self.result(network, *self.example(network, count=1))
        require(output.isfinite().all(), "in training, its output for one image is not finite")

    def test_skips_pass_on_what_they_carry(self) -> None:
        """The module of each skip connection, if there are any, is called once and gives what it gets."""
        network = self.generator().eval()
        skips = list(network.skips())
        levels = [skip.level for skip in skips]
        in_order = levels == sorted(set(levels)) and all(level >= 1 for level in levels)
        require(in_order, f"its skips are at levels {levels}, and go from the outermost, 1, inwards")
        changed: list[int] = []

        def watch(level: int, module: nn.Module) -> None:
            def compare(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
                if not (len(given) == 1 and given[0].equal(output)):
                    changed.append(level)

            module.register_forward_hook(compare)

        for level, module in skips:
            watch(level, module)
        inputs = self.example(network)
        calls = count_calls([skip.module for skip in skips], lambda: self.call(network, *inputs))
        require(not changed, f"its skip at level {changed and changed[0]} gives something else than it gets")
        wrong = [level for level, times in zip(levels, calls, strict=True) if times != 1]
        require(not wrong, f"its skip at level {wrong and wrong[0]} is not called once in a forward pass")

    def test_skips_matter(self) -> None:
        """A skip connection that carries nothing leads to another prediction."""
        network = self.generator().eval()
        stir(network, 0.02)
        inputs = self.example(network)
        with torch.no_grad():
            whole = self.result(network, *inputs)
            for level, module in network.skips():
                handle = module.register_forward_hook(_zeros)
                cut = self.result(network, *inputs)
                handle.remove()
                require(not cut.equal(whole), f"nothing uses what the module of its skip at level {level} gives")


def _zeros(_module: nn.Module, _given: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return torch.zeros_like(output)


def _is_size(name: str, size: object) -> bool:
    return isinstance(size, int) and (size == 1 if name == "time" else size >= 1)


def _further(name: FurtherInput, size: int, count: int, rng: torch.Generator) -> Tensor:
    """Values that differ from image to image."""
    match name:
        case "time":
            return torch.rand(count, generator=rng)
        case "label":
            return (torch.randint(size, (), generator=rng) + torch.arange(count)) % size
        case "latent":
            return torch.randn(count, size, generator=rng)
