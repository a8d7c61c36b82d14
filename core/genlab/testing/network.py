"""Conformance tests of all networks, generators and discriminators."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, cast
from unittest import SkipTest

import jaxtyping
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from genlab.engine.seeding import initialize
from genlab.errors import RecipeError
from genlab.interfaces.network import Level, Network
from genlab.testing.device import require_one_device
from genlab.testing.suite import ConformanceError, Suite, drawing, require

Inputs = tuple[Tensor, ...]


class NetworkSuite(Suite):
    """A network's part of the contract.

    Networks are built as a run builds them: with random numbers that are a function of the seed, and first weights
    drawn by `initialize`.
    """

    channels: ClassVar[Sequence[tuple[int, int]]] = ((3, 3), (1, 3), (4, 2))
    """Channels to try: of the condition, and of the image."""

    def network(self, channels: tuple[int, int] = (3, 3), seed: int = 0) -> Network:
        """A fresh network, with the first weights of a run."""
        network: Network = self.construct(seed, **self.supplied(channels))
        initialize(network, seed, self.kind)
        return network

    def of_channels(self) -> Iterator[tuple[tuple[int, int], Network]]:
        """A network in evaluation mode for each of the channels to try; last, the test is skipped if it refuses any."""
        refused = ""
        for channels in self.channels:
            try:
                network = self.network(channels)
            except (ValueError, RecipeError) as error:
                refused = f"it refuses channels {channels}: {error}"
            else:
                yield channels, network.eval()
        if refused:
            raise SkipTest(refused)

    def supplied(self, channels: tuple[int, int]) -> dict[str, int]:
        """The constructor's arguments that the framework gives."""
        raise NotImplementedError

    def example(self, network: Network, seed: int = 0, count: int = 2) -> Inputs:
        """Example inputs of a network with three channels a side: `count` images."""
        raise NotImplementedError

    def test_the_same_seed_gives_the_same_network(self) -> None:
        """The seed decides the weights, and weights and input what it gives."""
        one, same = self.network(seed=3), self.network(seed=3)
        different = [name for name, tensor in one.state_dict().items() if not tensor.equal(same.state_dict()[name])]
        require(not different, f"built twice with one seed, `{different and different[0]}` differs")
        inputs = self.example(one)
        what = "two networks of one seed, in training and with the same random numbers, give different results"
        require(_trained(one, inputs).equal(_trained(same, inputs)), what)
        states: list[Tensor] = []
        for seed in (1, 2):
            with drawing(seed):
                one(*inputs)
                states.append(torch.get_rng_state())
        require(not states[0].equal(states[1]), "being called it seeds PyTorch's random numbers, which others draw too")

    def test_gradients_reach_every_parameter(self) -> None:
        """A parameter that no gradient reaches is not trained."""
        network = self.network().train()
        wanted = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
        require(wanted, "it has no parameters, so there is nothing to train")
        missed = wanted
        for seed in range(3):
            stir(network, 0.02, seed)
            network.zero_grad()
            with drawing(seed):
                output = network(*self.example(network, seed)).float()
                (output * torch.rand_like(output)).sum().backward()
            missed = missed - {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
            if not missed:
                return
        raise ConformanceError(f"no gradient reaches {_some(sorted(missed))}")

    def test_nothing_is_born_after_construction(self) -> None:
        """All parameters and buffers are there when it is constructed, as optimizers and checkpoints need."""
        network = self.network()
        lazy = [name for name, p in network.named_parameters() if isinstance(p, UninitializedParameter)]
        require(not lazy, f"{_some(lazy)} get their shape when it is first called")
        before = {name: tensor.shape for name, tensor in network.state_dict().items()}
        network.train()(*self.example(network))
        after = {name: tensor.shape for name, tensor in network.state_dict().items()}
        changed = sorted(before.items() ^ after.items())
        require(not changed, f"its state has changed by being called: {_some([name for name, _ in changed])}")

    def test_weights_are_saved_and_loaded(self) -> None:
        """Through safetensors, every weight and every result comes back bit for bit, also when it was called before."""
        network, other = self.network(seed=1), self.network(seed=2)
        for seed in (1, 2):
            _trained(network, self.example(network, seed))
        state = {name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()}
        other.load_state_dict(load(save(state)))
        inputs = self.example(network)
        with torch.no_grad():
            same = network.eval()(*inputs).equal(other.eval()(*inputs))
        what = "gives another result: what it does is not all in weights and buffers"
        require(same, f"a network with the same weights loaded {what}")
        same = _trained(network, inputs).equal(_trained(other, inputs))
        require(same, f"in training, a network with the same weights loaded {what}")

    def test_evaluation_draws_nothing(self) -> None:
        """In evaluation mode the same input gives the same output; dropout is a module that can be switched on."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.no_grad(), drawing(1):
            first, again = network(*inputs), network(*inputs)
            require(first.equal(again), "in evaluation mode it gives another result each time")
            network.train()
            for module in network.modules():
                if module is not network and _is_layer(module):
                    module.eval()
            first, again = network(*inputs), network(*inputs)
        what = "with every layer in evaluation mode it still draws: dropout has to be a module such as nn.Dropout"
        require(first.equal(again), what)

    def test_weights_stay_as_they_are(self) -> None:
        """Only an optimizer changes weights: neither a call nor a change between training and evaluation does."""
        network = self.network()
        before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
        with torch.no_grad():
            for mode in (True, False, True):
                network.train(mode)(*self.example(network))
        changed = [name for name, parameter in network.named_parameters() if not parameter.equal(before[name])]
        require(not changed, f"being called changes {_some(changed)}")

    def test_inputs_are_left_alone(self) -> None:
        """It changes no input in place, as others use them."""
        network = self.network().train()
        inputs = self.example(network)
        copies = [tensor.clone() for tensor in inputs]
        network(*inputs)
        require(all(map(torch.equal, inputs, copies)), "it changes its input in place")

    def test_a_plain_one_computes_the_same(self) -> None:
        """After `make_plain` it has the same parameters, and the same results to within rounding."""
        network = self.network().train()
        inputs, plain = self.example(network), copy.deepcopy(network)
        plain.make_plain()
        names = [[name for name, _ in one.named_parameters()] for one in (network, plain)]
        require(names[0] == names[1], "after make_plain it has other parameters")
        with drawing(1):
            expected = network(*inputs)
        with drawing(1):
            require_close(plain(*inputs), expected, 1e-4, "after make_plain it computes something else")

    def test_it_works_in_channels_last(self) -> None:
        """The memory format that GPUs prefer gives the same result."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.no_grad():
            expected = network(*inputs)
            network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            given = network(*(tensor.to(memory_format=torch.channels_last) for tensor in inputs))
        require_close(given, expected, 1e-3, "in channels_last it gives another result")

    def test_it_works_under_autocast(self) -> None:
        """In bfloat16 it gives nearly the same, and its gradients are finite."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.autocast("cpu", torch.bfloat16):
            given = network(*inputs)
        given.float().sum().backward()
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        require(all(gradient.isfinite().all() for gradient in gradients), "in bfloat16 its gradients are not finite")
        with torch.no_grad():
            require_close(given.float(), network(*inputs).float(), 0.2, "in bfloat16 it gives something else")

    def test_it_can_be_compiled(self) -> None:
        """torch.compile makes the same function of it."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.no_grad(), without_shape_checks():
            expected = network(*inputs)
            # This backend traces as any does and compiles nothing, which would take minutes.
            given = cast(Callable[..., Tensor], torch.compile(network, backend="eager"))(*inputs)
        torch.compiler.reset()
        require_close(given, expected, 1e-3, "compiled it gives another result")

    def test_it_goes_to_a_device(self) -> None:
        """Sent to a GPU, it computes there with nothing that stays behind: parameters and buffers go along."""
        for mode in (True, False):
            network = self.network().train(mode)
            require_one_device(network, network, *self.example(network))

    def test_levels_are_named(self) -> None:
        """Its levels have names of their own, and each is a module that is called once."""
        network = self.network().eval()
        levels = list(network.levels())
        odd = [level for level in levels if not isinstance(cast(object, level), Level)]
        require(not odd, f"its levels contain {odd and odd[0]!r:.60}; expected a genlab.Level")
        names = [level.name for level in levels]
        require(len(set(names)) == len(names), f"two of its levels have one name: {', '.join(names)}")
        foreign = [level.name for level in levels if level.module not in set(network.modules())]
        require(not foreign, f"the module of its level `{foreign and foreign[0]}` is not one of its own")
        calls = count_calls(network, [level.module for level in levels], self.example(network))
        wrong = [f"`{name}` is called {times} times" for name, times in zip(names, calls, strict=True) if times != 1]
        what = f"of its levels, {', '.join(wrong)}, and a level is called once: let `levels` give its stages"
        require(not wrong, what)


@contextmanager
def without_shape_checks() -> Generator[None, None, None]:
    """Tests may have shapes checked at every call, which torch.compile cannot trace."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


def count_calls(network: Network, modules: Sequence[nn.Module], inputs: Inputs) -> list[int]:
    """Number of calls of each of some modules in one forward pass."""
    calls = [0] * len(modules)

    def counting(index: int) -> Callable[..., None]:
        def count(*_: object) -> None:
            calls[index] += 1

        return count

    handles = [module.register_forward_hook(counting(index)) for index, module in enumerate(modules)]
    with torch.no_grad():
        network(*inputs)
    for handle in handles:
        handle.remove()
    return calls


def stir(network: nn.Module, amount: float, seed: int = 0) -> None:
    """Add noise to all weights, so that none is at a special value, such as 0."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=rng), alpha=amount)


def require_close(given: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Fail unless two results are equal up to a share of their size."""
    error = (given - expected).norm() / expected.norm().clamp(min=1e-6)
    require(error <= tolerance, f"{what}: it differs by {error:.2g} of its size")


def _trained(network: Network, inputs: Inputs) -> Tensor:
    """Output of a network in training, with the same random numbers each time."""
    with torch.no_grad(), drawing(5):
        return network.train()(*inputs)


def _is_layer(module: nn.Module) -> bool:
    """True for a layer, PyTorch's own or one without children, and not a block composed by a network's author."""
    return type(module).__module__.startswith("torch.") or not any(True for _ in module.children())


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
