"""Conformance tests of all networks; generators and discriminators have more."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, cast
from unittest import SkipTest

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.utils._pytree import tree_leaves

from genlab.engine.seeding import initialize
from genlab.interfaces.network import Level, Network
from genlab.testing.device import require_one_device
from genlab.testing.examples import images
from genlab.testing.probing import channels_last, count_calls, has_gradient, require_close, stir, without_shape_checks
from genlab.testing.suite import ConformanceError, Suite, drawing, require, require_fingerprint

Inputs = tuple[Tensor, ...]


_USUAL = 32


class NetworkSuite(Suite):
    """A network's part of the contract.

    Networks are built as a run builds them: with random numbers that are a function of the seed, and first weights
    drawn by `initialize`. One that reads something else than images of 32 x 32 overrides `example`; one that a method
    calls otherwise than `network(*inputs)`, `call`.
    """

    kind = "network"
    in_channels: ClassVar[Sequence[int]] = (3,)
    """Channels of each thing that it reads, which a constructor is given if it takes `in_channels`."""

    def network(self, seed: int = 0, **supplied: Any) -> Network:
        """A fresh network, with the first weights of a run."""
        network: Network = self.construct(seed, **{**self.supplied(), **supplied})
        initialize(network, seed, self.kind)
        return network

    def supplied(self) -> dict[str, Any]:
        """The constructor's arguments that the framework gives."""
        taken = inspect.signature(self.component).parameters
        return {"in_channels": tuple(self.in_channels)} if "in_channels" in taken else {}

    def example(self, network: Network, seed: int = 0, count: int = 2) -> Inputs:  # noqa: ARG002  (for subclasses)
        """Example inputs of a network, of batches of `count`."""
        return tuple(images(count, number, _USUAL, _USUAL, seed + at) for at, number in enumerate(self.in_channels))

    def call(self, network: Network, *inputs: Tensor) -> Any:
        """Call a network, and return what it gives: a tensor, or several."""
        return network(*inputs)

    def shown(self, network: Network) -> Inputs:
        """Inputs of `features`, if it gives any."""
        return self.example(network)

    def result(self, network: Network, *inputs: Tensor) -> Tensor:
        """All numbers that a network gives for inputs, one after the other."""
        given = self.call(network, *inputs)
        tensors = [leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor)]
        require(tensors, f"it gives {type(given).__name__}; expected a tensor, or several")
        return torch.cat([tensor.flatten() for tensor in tensors])

    def trained(self, network: Network, inputs: Inputs) -> Tensor:
        """The result of a network in training, with the same random numbers each time."""
        with torch.no_grad(), drawing(5):
            return self.result(network.train(), *inputs)

    def test_the_same_seed_gives_the_same_network(self) -> None:
        """The seed decides the weights, and weights and input what it gives."""
        one, same = self.network(seed=3), self.network(seed=3)
        different = [name for name, tensor in one.state_dict().items() if not tensor.equal(same.state_dict()[name])]
        require(not different, f"built twice with one seed, `{different and different[0]}` differs")
        inputs = self.example(one)
        what = "two networks of one seed, in training and with the same random numbers, give different results"
        require(self.trained(one, inputs).equal(self.trained(same, inputs)), what)
        states: list[Tensor] = []
        for seed in (1, 2):
            with drawing(seed):
                self.call(one, *inputs)
                states.append(torch.get_rng_state())
        require(not states[0].equal(states[1]), "being called it seeds PyTorch's random numbers, which others draw too")

    def test_gradients_reach_every_parameter(self) -> None:
        """A parameter that no gradient reaches is not trained."""
        network = self.network().train()
        wanted = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
        if not wanted:
            raise SkipTest("none of its parameters is trained")
        missed = wanted
        for seed in range(3):
            stir(network, 0.02, seed)
            network.zero_grad()
            with drawing(seed):
                output = self.result(network, *self.example(network, seed)).float()
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
        self.call(network.train(), *self.example(network))
        after = {name: tensor.shape for name, tensor in network.state_dict().items()}
        changed = sorted(before.items() ^ after.items())
        require(not changed, f"its state has changed by being called: {_some([name for name, _ in changed])}")

    def test_weights_are_saved_and_loaded(self) -> None:
        """Through safetensors, every weight and every result comes back bit for bit, also when it was called before."""
        network, other = self.network(seed=1), self.network(seed=2)
        for seed in (1, 2):
            self.trained(network, self.example(network, seed))
        state = {name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()}
        other.load_state_dict(load(save(state)))
        inputs = self.example(network)
        with torch.no_grad():
            same = self.result(network.eval(), *inputs).equal(self.result(other.eval(), *inputs))
        what = "gives another result: what it does is not all in weights and buffers"
        require(same, f"a network with the same weights loaded {what}")
        same = self.trained(network, inputs).equal(self.trained(other, inputs))
        require(same, f"in training, a network with the same weights loaded {what}")

    def test_what_it_loads_has_a_hash(self) -> None:
        """A hash of what it loads, or none, is the same for another one of the same settings and another seed."""
        require_fingerprint(self.network(seed=1), self.network(seed=2))

    def test_evaluation_draws_nothing(self) -> None:
        """In evaluation mode the same input gives the same output; dropout is a module that can be switched on."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.no_grad(), drawing(1):
            first, again = self.result(network, *inputs), self.result(network, *inputs)
            require(first.equal(again), "in evaluation mode it gives another result each time")
            network.train()
            for module in network.modules():
                if module is not network and _is_layer(module):
                    module.eval()
            first, again = self.result(network, *inputs), self.result(network, *inputs)
        what = "with every layer in evaluation mode it still draws: dropout has to be a module such as nn.Dropout"
        require(first.equal(again), what)

    def test_weights_stay_as_they_are(self) -> None:
        """Only an optimizer changes weights: neither a call nor a change between training and evaluation does."""
        network = self.network()
        before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
        with torch.no_grad():
            for mode in (True, False, True):
                self.call(network.train(mode), *self.example(network))
        changed = [name for name, parameter in network.named_parameters() if not parameter.equal(before[name])]
        require(not changed, f"being called changes {_some(changed)}")

    def test_inputs_are_left_alone(self) -> None:
        """It changes no input in place, as others use them."""
        network = self.network().train()
        inputs = self.example(network)
        copies = [tensor.clone() for tensor in inputs]
        self.call(network, *inputs)
        require(all(map(torch.equal, inputs, copies)), "it changes its input in place")

    def test_a_plain_one_computes_the_same(self) -> None:
        """After `make_plain` it has the same parameters, and the same results to within rounding."""
        network = self.network().train()
        inputs, plain = self.example(network), copy.deepcopy(network)
        plain.make_plain()
        names = [[name for name, _ in one.named_parameters()] for one in (network, plain)]
        require(names[0] == names[1], "after make_plain it has other parameters")
        with drawing(1):
            expected = self.result(network, *inputs)
        with drawing(1):
            require_close(self.result(plain, *inputs), expected, 1e-4, "after make_plain it computes something else")

    def test_it_works_in_channels_last(self) -> None:
        """The memory format that GPUs prefer gives the same result."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.no_grad():
            expected = self.result(network, *inputs)
            network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            given = self.result(network, *map(channels_last, inputs))
        require_close(given, expected, 1e-3, "in channels_last it gives another result")

    def test_it_works_under_autocast(self) -> None:
        """In bfloat16 it gives nearly the same, and its gradients are finite."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.autocast("cpu", torch.bfloat16):
            given = self.result(network, *inputs)
        if given.requires_grad:
            given.float().sum().backward()
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        require(all(gradient.isfinite().all() for gradient in gradients), "in bfloat16 its gradients are not finite")
        with torch.no_grad():
            require_close(
                given.float(), self.result(network, *inputs).float(), 0.2, "in bfloat16 it gives something else"
            )

    def test_it_can_be_compiled(self) -> None:
        """torch.compile makes the same function of it."""
        network = self.network().eval()
        inputs = self.example(network)
        with torch.no_grad(), without_shape_checks():
            expected = self.result(network, *inputs)
            # This backend traces as any does and compiles nothing, which would take minutes.
            given = self.result(cast(Network, torch.compile(network, backend="eager")), *inputs)
        torch.compiler.reset()
        require_close(given, expected, 1e-3, "compiled it gives another result")

    def test_it_goes_to_a_device(self) -> None:
        """Sent to a GPU, it computes there with nothing that stays behind: parameters and buffers go along."""
        for mode in (True, False):
            network = self.network().train(mode)
            require_one_device(network, partial(self.call, network), *self.example(network))

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
        inputs = self.example(network)
        calls = count_calls([level.module for level in levels], lambda: self.call(network, *inputs))
        wrong = [f"`{name}` is called {times} times" for name, times in zip(names, calls, strict=True) if times != 1]
        what = f"of its levels, {', '.join(wrong)}, and a level is called once: let `levels` give its stages"
        require(not wrong, what)

    def test_its_features_are_the_stated_ones(self) -> None:
        """As many as `feature_channels`, (n, c, h, w) with these channels, and differentiable by what they are of."""
        network = self.network().eval()
        stated = list(network.feature_channels)
        if not stated:
            return
        inputs = [tensor.requires_grad_() for tensor in self.shown(network)]
        features = network.features(*inputs)
        odd = [tuple(feature.shape) for feature in features if feature.ndim != 4 or len(feature) != len(inputs[0])]
        require(not odd, f"its features are of the shape {odd and odd[0]}; expected (n, c, h, w)")
        given = [feature.shape[1] for feature in features]
        require(given == stated, f"its features have {given} channels, and its feature_channels are {stated}")
        for number, feature in enumerate(features, start=1):
            require(feature.isfinite().all(), f"number {number} of its features is not finite")
            require(has_gradient(feature, inputs), f"no gradient of number {number} of its features reaches its input")


def _is_layer(module: nn.Module) -> bool:
    """True for a layer, PyTorch's own or one without children, and not a block composed by a network's author."""
    return type(module).__module__.startswith("torch.") or not any(True for _ in module.children())


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
