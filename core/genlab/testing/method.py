"""What every method must do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from genlab.engine.checkpoint import Position, Trainee, restore, save
from genlab.engine.optimizers import make_optimizers
from genlab.engine.seeding import constructing, derived_seed, initialize, seed_random_numbers
from genlab.engine.step import train_step
from genlab.interfaces.loss import Loss
from genlab.interfaces.method import Batch, Method, WeightedLoss
from genlab.interfaces.network import Network
from genlab.interfaces.predictions import Predictions
from genlab.settings import Optimizer as OptimizerSettings
from genlab.testing.examples import CLASSES, batch
from genlab.testing.suite import Suite, require
from genlab.testing.toys import ToyAdversarialLoss, ToyDiscriminator, ToyGenerator, ToyLoss

ROLES = ("generator", "discriminator")
_CPU = torch.device("cpu")


class _ClassLoss(Loss):
    """How far the probabilities of classes are from the truth, squared."""

    predictions: ClassVar[Predictions] = "classes"

    def forward(
        self,
        condition: Float[Tensor, "n c h w"],  # noqa: ARG002  (part of the interface)
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        return (prediction.softmax(dim=1) - target).square().mean()


class MethodSuite(Suite):
    """A method's part of the contract: with toy networks and toy losses, it trains."""

    kind = "method"
    steps: ClassVar[int] = 40
    """How long the toy is trained, at batch 2 and 32 x 32."""

    def networks(self) -> dict[str, Network]:
        """Toy networks for its roles, with their first weights."""
        channels = CLASSES if self.component.predictions == "classes" else 3
        with constructing(0, "toys"):
            made: dict[str, Network] = {
                "generator": ToyGenerator(3, channels, channels=8),
                "discriminator": ToyDiscriminator(3, channels),
            }
        return {role: made[role] for role in self.component.roles}

    def losses(self) -> dict[str, WeightedLoss]:
        """Toy losses: one that compares with the target, and an adversarial one if there is a discriminator."""
        losses = {"supervised": WeightedLoss(self.supervised(), 10.0)}
        if "discriminator" in self.component.roles:
            losses["adversarial"] = WeightedLoss(ToyAdversarialLoss(), 0.1)
        return losses

    def supervised(self) -> Loss:
        return _ClassLoss() if self.component.predictions == "classes" else ToyLoss()

    def method(self) -> Method:
        networks = self.networks()
        for role, network in networks.items():
            initialize(network, 0, role)
        with constructing(0, "method"):
            return self.build(networks=networks, losses=self.losses())

    def batch(self) -> Batch:
        return batch(self.component.predictions)

    def trainee(self) -> Trainee:
        """A method and its optimisers, as a run has them."""
        method = self.method()
        return Trainee(method, make_optimizers(method.networks, OptimizerSettings(learning_rate=5e-3), _CPU))

    def train(self, trainee: Trainee, first: int, last: int) -> None:
        """Take some steps, with random numbers that are a function of the step, as in a run."""
        for step in range(first, last):
            seed_random_numbers(derived_seed(0, "step", step), _CPU)
            train_step(trainee.method, self.batch(), trainee.optimizers, with_norms=False)

    def test_it_uses_networks_that_recipes_have(self) -> None:
        """Its roles are among those of a recipe, and each is updated by one of its phases."""
        roles = self.component.roles
        unknown = [role for role in roles if role not in ROLES]
        require(not unknown, f"it uses a network `{unknown and unknown[0]}`; a recipe has {' and '.join(ROLES)}")
        require(self.component.predictions in ("images", "classes"), f"predictions is {self.component.predictions!r}")
        phases = self.method().phases()
        names = [phase.name for phase in phases]
        require(len(set(names)) == len(names) > 0, f"its phases are called {', '.join(names) or 'nothing at all'}")
        updated = {role for phase in phases for role in phase.updates}
        require(updated == set(roles), f"its phases update {sorted(updated)}, and it has {sorted(roles)}")

    def test_a_prediction_is_like_its_target(self) -> None:
        """What it predicts has the shape of the target, and is the same each time."""
        method, given = self.method(), self.batch()
        for network in method.networks.values():
            network.eval()
        with torch.no_grad():
            prediction, again = _seeded(method, given.condition), _seeded(method, given.condition)
        shapes = tuple(prediction.shape), tuple(given.target.shape)
        require(shapes[0] == shapes[1], f"its prediction is {shapes[0]}, and the target {shapes[1]}")
        require(prediction.equal(again), "with the same random numbers it predicts something else")

    def test_training_lowers_the_loss(self) -> None:
        """After a few steps, predictions of the toy are nearer to their targets."""
        with torch.random.fork_rng([]):
            trainee = self.trainee()
            before = self._distance(trainee.method)
            self.train(trainee, 0, self.steps)
            after = self._distance(trainee.method)
        require(after < before, f"after {self.steps} steps the loss is {after:.4g}, and was {before:.4g}")

    def _distance(self, method: Method) -> float:
        given = self.batch()
        with torch.no_grad():
            return self.supervised()(given.condition, given.target, _seeded(method, given.condition)).item()

    def test_a_resume_is_exact(self) -> None:
        """Two steps, a checkpoint and two more give the weights of four steps: all that it carries is in `state`."""
        with torch.random.fork_rng([]), TemporaryDirectory() as folder:
            whole, first, resumed = self.trainee(), self.trainee(), self.trainee()
            self.train(whole, 0, 4)
            self.train(first, 0, 2)
            restore(save(Path(folder), Position(step=2), first, keep=1), resumed)
            self.train(resumed, 2, 4)
        different = [
            f"{role}.{name}"
            for role, network in whole.method.networks.items()
            for name, tensor in network.state_dict().items()
            if not tensor.equal(resumed.method.networks[role].state_dict()[name])
        ]
        require(not different, f"resumed after 2 of 4 steps, `{different and different[0]}` is not as without a pause")

    def test_it_does_without_an_adversarial_loss(self) -> None:
        """A recipe may drop that loss, and the discriminator with it: it trains so, or says in a ValueError why not."""
        networks = {role: network for role, network in self.networks().items() if role != "discriminator"}
        losses = {name: loss for name, loss in self.losses().items() if isinstance(loss.loss, Loss)}
        try:
            method: Method = self.build(networks=networks, losses=losses)
        except ValueError:
            return
        optimizers: Mapping[str, Optimizer] = make_optimizers(networks, OptimizerSettings(), _CPU)
        train_step(method, self.batch(), optimizers, with_norms=False)


def _seeded(method: Method, condition: Tensor) -> Tensor:
    with torch.random.fork_rng([]):
        torch.manual_seed(5)
        return method.predict(condition)
