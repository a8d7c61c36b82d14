"""A method trained on toys: small networks, losses and batches for its roles."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override

from genlab.engine.optimizers import trained_networks
from genlab.engine.seeding import (
    derived_seed,
    initialize,
    isolated_rng,
    seed_random_numbers,
    seeded_construction,
)
from genlab.engine.step import train_step
from genlab.engine.train_state import TrainState
from genlab.interfaces.batch import Batch
from genlab.interfaces.channels import supplied_channels
from genlab.interfaces.loss import Loss
from genlab.interfaces.method import Method, WeightedLoss
from genlab.interfaces.network import Network
from genlab.interfaces.optimizer import eager_optimizer
from genlab.interfaces.position import Draws, Position
from genlab.interfaces.predictions import Predictions
from genlab.interfaces.role import Role
from genlab.interfaces.weight import Weight
from genlab.testing.examples import CLASSES, batch
from genlab.testing.suite import Suite
from genlab.testing.toys import ToyAdversarialLoss, ToyDiscriminator, ToyGenerator, ToyLoss, ToyNetwork

CPU = torch.device("cpu")
WEIGHT = Weight(10.0)
RATE = 5e-3


class _ClassLoss(Loss):
    """Squared distance of the probabilities of classes from the truth."""

    predictions: ClassVar[Predictions] = "classes"

    @override
    def forward(
        self,
        condition: Float[Tensor, "n c h w"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        return (prediction.softmax(dim=1) - target).square().mean()


class _Encoder(ToyGenerator):
    """A toy with features, for networks that read them."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.feature_channels = (self.inner.out_channels,)

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        return [self.inner(*images)]


@eager_optimizer
class _Adam(torch.optim.Adam):
    """Adam as the framework's own starts."""


def toy_optimizers(method: Method) -> dict[str, Optimizer]:
    """An optimizer for each network that a method trains, by role."""
    return {
        role: _Adam(network.parameters(), RATE, (0.5, 0.999), fused=True)
        for role, network in trained_networks(method).items()
    }


class ToyTraining(Suite):
    """Construction of a method on toy networks and toy losses, and steps of its training."""

    kind = "method"
    steps: ClassVar[int] = 40
    """How long the toy is trained, at batch 2 and 32 x 32."""

    def networks(self) -> dict[str, Network]:
        """Toy networks for its roles, with the first weights of a run."""
        made: dict[str, Network] = {}
        for name, role in self.component.roles.items():
            supplied = supplied_channels(role, self.channels(), made)
            with seeded_construction(0, name):
                made[name] = self.toy(role, supplied)
            initialize(made[name], 0, role.like if role.like and not role.trained else name)
            if not role.trained:
                made[name].requires_grad_(False).eval()
        return made

    def toy(self, role: Role, supplied: Mapping[str, Any]) -> Network:
        """A small network for a role, with the channels that the method says."""
        match role.kind:
            case "generator":
                return _Encoder(**supplied, channels=8, inputs=role.inputs)
            case "discriminator":
                return ToyDiscriminator(**supplied)
            case "network":
                return ToyNetwork(**supplied)

    def losses(self, weight: Weight = WEIGHT) -> dict[str, WeightedLoss]:
        """Toy losses: one that compares with the target, of a weight, and an adversarial one for a discriminator."""
        losses = {"supervised": WeightedLoss(self.supervised(), weight)}
        if self.discriminators():
            losses["adversarial"] = WeightedLoss(ToyAdversarialLoss(), Weight(0.1))
        return losses

    def discriminators(self) -> dict[str, Role]:
        """Its roles of that kind."""
        return {name: role for name, role in self.component.roles.items() if role.kind == "discriminator"}

    def supervised(self) -> Loss:
        """A loss of the kind of prediction that the method makes."""
        return _ClassLoss() if self.component.predictions == "classes" else ToyLoss()

    def method(self, weight: Weight = WEIGHT) -> Method:
        """A new method on toy networks."""
        return self.built(self.networks(), self.losses(weight))

    def built(self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> Method:
        """A new method on some networks and losses."""
        supplied: dict[str, Any] = {"networks": networks, "losses": losses}
        if "channels" in inspect.signature(self.component).parameters:
            supplied["channels"] = self.channels()
        return self.construct(**supplied)

    def channels(self) -> dict[str, int]:
        """Channels of each side."""
        return {"condition": 3, "target": CLASSES if self.component.predictions == "classes" else 3}

    def batch(self, count: int = 2, step: int = 0) -> Batch:
        """A batch of the kind of prediction that the method makes, at a step of the toy's training."""
        given = batch(self.component.predictions, count)
        samples = tuple(range(step * count, (step + 1) * count))
        return given._replace(position=Position(step, 2 * self.steps), draws=Draws(0, samples))

    def train_state(self, weight: Weight = WEIGHT) -> TrainState:
        """A method and its optimizers, as a run has them."""
        method = self.method(weight)
        return TrainState(method, toy_optimizers(method))

    def train(self, state: TrainState, first: int, last: int, count: int = 2) -> None:
        """Take some steps, with random numbers that are a function of the step, as in a run."""
        with isolated_rng(CPU):
            for step in range(first, last):
                seed_random_numbers(derived_seed(0, "step", step), CPU)
                given = self.batch(count, step)
                state.method.begin(given.position)
                train_step(state.method, repeat(given), state.optimizers, with_norms=False)
