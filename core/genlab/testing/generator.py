"""Conformance tests of generators."""

from __future__ import annotations

from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from genlab.interfaces.network import Generator, Network
from genlab.testing.examples import images
from genlab.testing.network import Inputs, NetworkSuite, count_calls, stir
from genlab.testing.suite import require

_USUAL = 32


class GeneratorSuite(NetworkSuite):
    """A generator's part of the contract.

    `is_bounded = False` is for one that gives scores of classes, which have no bounds.
    """

    kind = "generator"
    is_bounded: ClassVar[bool] = True

    @override
    def supplied(self, channels: tuple[int, int]) -> dict[str, int]:
        return dict(zip(("in_channels", "out_channels"), channels, strict=True))

    @override
    def example(self, network: Network, seed: int = 0, count: int = 2) -> Inputs:
        size = self.size(network)
        return (images(count, 3, size, size, seed),)

    def size(self, network: Network) -> int:
        """A usual size that the generator takes."""
        assert isinstance(network, Generator)
        return -(-_USUAL // network.size_multiple) * network.size_multiple

    def test_its_sizes_are_a_number(self) -> None:
        """`size_multiple` is a whole number, 1 at least."""
        network = self.network()
        assert isinstance(network, Generator)
        given = cast(object, network.size_multiple)
        require(isinstance(given, int) and given >= 1, f"its size_multiple is {given!r}; expected an integer >= 1")

    def test_a_prediction_has_the_size_of_its_condition(self) -> None:
        """Whatever the batch, the channels, and the height and width, as long as these are multiples of its own."""
        for channels, network in self.of_channels():
            assert isinstance(network, Generator)
            base, step = self.size(network), network.size_multiple
            for count, height, width in ((1, base, base), (2, base, base + step), (1, base + step, base)):
                with torch.no_grad():
                    prediction: object = network(images(count, channels[0], height, width))
                given = tuple(prediction.shape) if isinstance(prediction, Tensor) else type(prediction).__name__
                wanted = (count, channels[1], height, width)
                require(given == wanted, f"for {channels[0]} channels in it gives {given}, and should give {wanted}")

    def test_predictions_are_in_range(self) -> None:
        """Those of any image are finite, also of one color; and in [-1, 1] whatever the weights become."""
        network = self.network().eval()
        size = self.size(network)
        conditions = torch.cat([images(1, 3, size, size), torch.ones(1, 3, size, size), -torch.ones(1, 3, size, size)])
        with torch.no_grad():
            finite = network(conditions).isfinite().all()
            require(finite, "its prediction for an image of a single color is not finite")
            if not self.is_bounded:
                return
            lowest = 0.0
            for seed in range(5):
                stir(network, 0.3, seed)
                prediction = network(conditions).nan_to_num(0)
                largest = prediction.abs().max().item()
                what = f"a prediction reaches {largest:.3g}, and images are in [-1, 1]: end with a tanh"
                require(largest <= 1 + 1e-5, what)
                lowest = min(lowest, prediction.min().item())
        require(lowest < 0, "its predictions are never below 0, and images are in [-1, 1]: end with a tanh")

    def test_it_trains_on_a_single_image(self) -> None:
        """At batch 1, the usual for pix2pix."""
        network = self.network().train()
        assert isinstance(network, Generator)
        size = self.size(network)
        prediction = network(images(1, 3, size, size))
        require(prediction.isfinite().all(), "in training, its prediction for one image is not finite")

    def test_skips_pass_on_what_they_carry(self) -> None:
        """The module of each skip connection, if there are any, is called once and gives what it gets."""
        network = self.network().eval()
        assert isinstance(network, Generator)
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
        calls = count_calls(network, [skip.module for skip in skips], self.example(network))
        require(not changed, f"its skip at level {changed and changed[0]} gives something else than it gets")
        wrong = [level for level, times in zip(levels, calls, strict=True) if times != 1]
        require(not wrong, f"its skip at level {wrong and wrong[0]} is not called once in a forward pass")

    def test_skips_matter(self) -> None:
        """A skip connection that carries nothing leads to another prediction."""
        network = self.network().eval()
        assert isinstance(network, Generator)
        stir(network, 0.02)
        inputs = self.example(network)
        with torch.no_grad():
            whole = network(*inputs)
            for level, module in network.skips():
                handle = module.register_forward_hook(_zeros)
                cut = network(*inputs)
                handle.remove()
                require(not cut.equal(whole), f"nothing uses what the module of its skip at level {level} gives")


def _zeros(_module: nn.Module, _given: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return torch.zeros_like(output)
