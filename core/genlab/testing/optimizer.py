"""Conformance tests of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from genlab.engine.bounded_tensors import load_tensors
from genlab.engine.optimizer_state import load_state_tensors, state_tensors
from genlab.errors import TrainingError
from genlab.testing.suite import ConformanceError, Suite, drawing, require

_PAUSE, _LAST = 3, 6


class _Weights(nn.Module):
    """Weights of every number of dimensions that networks have, in the memory format of GPUs where there is one."""

    def __init__(self) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        for name, shape in {"gain": (), "bias": (5,), "linear": (5, 3), "kernel": (4, 3, 3, 3)}.items():
            value = torch.randn(shape, generator=rng)
            value = value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
            self.register_parameter(name, nn.Parameter(value))

    def copies(self) -> dict[str, Tensor]:
        """Its values by name."""
        return {name: weight.detach().clone() for name, weight in self.named_parameters()}


class OptimizerSuite(Suite):
    """An optimizer's part of the contract.

    It is a `torch.optim.Optimizer`: the framework gives it the parameters of a network, computes their gradients, sets
    the rate of each step as `lr` of every parameter group, and calls `step()` without a closure. What it remembers it
    keeps by parameter in `state`, as tensors of any shape and numbers, so that a checkpoint has it; numbers and tensors
    that it adds to a parameter group are kept, too.
    """

    kind = "optimizer"
    steps: ClassVar[int] = 200
    """How many steps of the default rate have to lower a loss."""

    def optimizer(self, weights: nn.Module) -> Optimizer:
        """A new optimizer of some weights, with the suite's settings."""
        return self.construct(params=weights.parameters())

    def trained(self, first: int = 0, last: int = _LAST, rate: float | None = None) -> tuple[_Weights, Optimizer]:
        """Weights and their optimizer after some steps."""
        weights = _Weights()
        optimizer = self.optimizer(weights)
        for group in optimizer.param_groups if rate is not None else ():
            group["lr"] = rate
        self.take(weights, optimizer, first, last)
        return weights, optimizer

    def take(self, weights: nn.Module, optimizer: Optimizer, first: int, last: int) -> None:
        """Take steps, with gradients that are a function of the step's number."""
        for number in range(first, last):
            rng = torch.Generator().manual_seed(number)
            for weight in weights.parameters():
                weight.grad = torch.empty_like(weight).copy_(torch.randn(weight.shape, generator=rng))
            with drawing(number):
                optimizer.step()

    def test_its_groups_have_a_rate(self) -> None:
        """Each of its parameter groups has a rate above 0 as `lr`, which the framework multiplies by the schedule's."""
        for group in self.optimizer(_Weights()).param_groups:
            rate = group.get("lr")
            valid = isinstance(rate, int | float | Tensor) and rate > 0
            require(valid, f"a parameter group has lr = {rate!r:.60}; expected a number above 0")

    def test_it_has_every_parameter(self) -> None:
        """Its parameter groups hold all parameters that it is given, each once."""
        weights = _Weights()
        held = [id(weight) for group in self.optimizer(weights).param_groups for weight in group["params"]]
        given = [id(weight) for weight in weights.parameters()]
        require(sorted(held) == sorted(given), f"its groups hold {len(held)} parameters of the {len(given)} given")

    def test_it_lowers_a_loss(self) -> None:
        """At its default rate the sum of squared weights falls, and all weights move."""
        weights = _Weights()
        optimizer, before = self.optimizer(weights), weights.copies()
        for number in range(self.steps):
            for weight in weights.parameters():
                weight.grad = 2 * weight.detach()
            with drawing(number):
                optimizer.step()
        after = weights.copies()
        still = [name for name in before if after[name].equal(before[name])]
        require(not still, f"a weight of shape {tuple(before[still[0]].shape) if still else ()} does not move")
        losses = [sum(value.square().sum().item() for value in values.values()) for values in (before, after)]
        require(losses[1] < losses[0], f"after {self.steps} steps a loss is {losses[1]:.4g}, and was {losses[0]:.4g}")

    def test_the_rate_counts(self) -> None:
        """At a rate of 0, as a schedule may have at its end, weights stay as they are."""
        before = _Weights().copies()
        require(not _differing(before, self.trained(rate=0.0)[0].copies()), "at a rate of 0 it changes weights")

    def test_weights_without_a_gradient_stay(self) -> None:
        """A frozen weight, which has no gradient, is left alone."""
        weights = _Weights()
        optimizer, before = self.optimizer(weights), weights.copies()
        for name, weight in weights.named_parameters():
            weight.grad = None if name == "linear" else torch.ones_like(weight)
        with drawing(0):
            optimizer.step()
        require(weights.copies()["linear"].equal(before["linear"]), "it changes a weight that has no gradient")

    def test_a_step_is_a_function_of_the_gradients(self) -> None:
        """The same gradients lead to the same weights; what is drawn comes from PyTorch's own generator."""
        one, other = (self.trained()[0].copies() for _ in range(2))
        require(not _differing(one, other), "the same gradients lead to other weights each time")

    def test_a_resume_is_exact(self) -> None:
        """Some steps, a checkpoint, and more steps are as many steps in one go, to the last bit."""
        expected = self.trained()[0].copies()
        weights, optimizer = self.trained(last=_PAUSE)
        state = _through_a_file(lambda: state_tensors(optimizer, weights))
        resumed = _Weights()
        resumed.load_state_dict(weights.state_dict())
        other = self.optimizer(resumed)
        load_state_tensors(other, resumed, state)
        self.take(resumed, other, _PAUSE, _LAST)
        differing = _differing(expected, resumed.copies())
        what = f"resumed after {_PAUSE} of {_LAST} steps, the weight of shape"
        shape = tuple(expected[differing[0]].shape) if differing else ()
        require(not differing, f"{what} {shape} is not as without a pause: it keeps a state elsewhere than in `state`")


def _differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    return [name for name, value in one.items() if not value.equal(other[name])]


def _through_a_file(state: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """A state as a checkpoint gives it back."""
    try:
        tensors = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state().items()}
    except TrainingError as error:
        raise ConformanceError(error.what) from error
    with TemporaryDirectory() as folder:
        save_file(tensors, Path(folder) / "state.safetensors")
        return {name: tensor.clone() for name, tensor in load_tensors(Path(folder) / "state.safetensors").items()}
