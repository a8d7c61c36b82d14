"""Conformance tests of methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab.config.schema import Optimizer as OptimizerSettings
from genlab.engine.checkpoint import restore, save
from genlab.engine.checkpoint_state import TrainProgress, open_checkpoint
from genlab.engine.optimizers import make_optimizers, set_rates
from genlab.engine.seeding import (
    derived_seed,
    initialize,
    isolated_rng,
    seed_random_numbers,
    seeded_construction,
)
from genlab.engine.step import train_step
from genlab.engine.train_state import TrainState
from genlab.errors import RecipeError
from genlab.interfaces.loss import Loss
from genlab.interfaces.method import Batch, Method, WeightedLoss
from genlab.interfaces.network import Network
from genlab.interfaces.predictions import Predictions
from genlab.testing.examples import CLASSES, batch
from genlab.testing.suite import Suite, drawing, require
from genlab.testing.toys import ToyAdversarialLoss, ToyDiscriminator, ToyGenerator, ToyLoss

ROLES = ("generator", "discriminator")
_CPU = torch.device("cpu")


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


class MethodSuite(Suite):
    """A method's part of the contract: with toy networks and toy losses, it trains."""

    kind = "method"
    steps: ClassVar[int] = 40
    """How long the toy is trained, at batch 2 and 32 x 32."""

    def networks(self) -> dict[str, Network]:
        """Toy networks for its roles, with the first weights of a run."""
        channels = CLASSES if self.component.predictions == "classes" else 3
        with seeded_construction(0, "toys"):
            made: dict[str, Network] = {
                "generator": ToyGenerator(3, channels, channels=8),
                "discriminator": ToyDiscriminator(3, channels),
            }
        for role, network in made.items():
            initialize(network, 0, role)
        return {role: made[role] for role in self.component.roles}

    def losses(self, weight: float = 10.0) -> dict[str, WeightedLoss]:
        """Toy losses: one that compares with the target, of a weight, and an adversarial one for a discriminator."""
        losses = {"supervised": WeightedLoss(self.supervised(), weight)}
        if "discriminator" in self.component.roles:
            losses["adversarial"] = WeightedLoss(ToyAdversarialLoss(), 0.1)
        return losses

    def supervised(self) -> Loss:
        """A loss of the kind of prediction that the method makes."""
        return _ClassLoss() if self.component.predictions == "classes" else ToyLoss()

    def method(self, weight: float = 10.0) -> Method:
        """A new method on toy networks."""
        return self.construct(networks=self.networks(), losses=self.losses(weight))

    def batch(self, count: int = 2) -> Batch:
        """A batch of the kind of prediction that the method makes."""
        return batch(self.component.predictions, count)

    def train_state(self, weight: float = 10.0) -> TrainState:
        """A method and its optimizers, as a run has them."""
        method = self.method(weight)
        return TrainState(method, make_optimizers(method.networks, OptimizerSettings(learning_rate=5e-3), _CPU))

    def train(self, state: TrainState, first: int, last: int, count: int = 2) -> None:
        """Take some steps, with random numbers that are a function of the step, as in a run."""
        with isolated_rng(_CPU):
            for step in range(first, last):
                seed_random_numbers(derived_seed(0, "step", step), _CPU)
                train_step(state.method, self.batch(count), state.optimizers, with_norms=False)

    def test_it_uses_networks_that_recipes_have(self) -> None:
        """Its roles are among those of a recipe, and each is updated by one of its phases."""
        roles = self.component.roles
        unknown = [role for role in roles if role not in ROLES]
        require(not unknown, f"it uses a network `{unknown and unknown[0]}`; a recipe has {' and '.join(ROLES)}")
        require(self.component.predictions in ("images", "classes"), f"predictions is {self.component.predictions!r}")
        method = self.method()
        constructed = all(hasattr(method, name) for name in ("networks", "losses"))
        require(constructed, f"the constructor of {type(method).__name__} does not call that of genlab.Method")
        phases = method.phases()
        names = [phase.name for phase in phases]
        require(len(set(names)) == len(names) > 0, f"its phases are called {', '.join(names) or 'nothing at all'}")
        updated = {role for phase in phases for role in phase.updates}
        require(updated == set(roles), f"its phases update {sorted(updated)}, and it has {sorted(roles)}")

    def test_a_prediction_is_like_its_target(self) -> None:
        """Its prediction has the shape of the target, and is the same each time."""
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
        state = self.train_state()
        before = self._distance(state.method)
        self.train(state, 0, self.steps)
        after = self._distance(state.method)
        require(after < before, f"after {self.steps} steps the loss is {after:.4g}, and was {before:.4g}")

    def _distance(self, method: Method) -> float:
        given = self.batch()
        with torch.no_grad():
            return self.supervised()(given.condition, given.target, _seeded(method, given.condition)).item()

    def test_it_trains_on_a_single_image(self) -> None:
        """At batch 1, the usual for pix2pix, weights stay finite."""
        state = self.train_state()
        self.train(state, 0, 2, count=1)
        weights = [parameter for network in state.method.networks.values() for parameter in network.parameters()]
        require(all(weight.isfinite().all() for weight in weights), "after a step at batch 1, weights are not finite")

    def test_every_term_has_a_part_in_its_update(self) -> None:
        """Every term of a phase depends on the networks that it updates; one of weight 0 is a report."""
        method, given = self.method(), self.batch()
        with drawing(0):
            shared = method.forward(given)
            for phase in method.phases():
                weights = [weight for role in phase.updates for weight in method.networks[role].parameters()]
                for name, term in phase.terms(given, shared).items():
                    teaches = term.weight == 0 or _reaches(term.value, weights)
                    roles = " and ".join(phase.updates)
                    require(
                        teaches, f"no gradient of the term {phase.name}/{name} reaches the {roles}: is it detached?"
                    )

    def test_the_game_is_played(self) -> None:
        """The discriminator alone learns to tell targets from predictions, then the generator to pass as real."""
        if "discriminator" not in self.component.roles:
            return
        state = self.train_state(weight=1e-6)
        before = self._scores(state.method)
        self._train_alone("discriminator", state)
        trained = self._scores(state.method)
        what = "alone, the discriminator learns to score predictions higher than targets: is the sign right?"
        require(trained.apart >= before.apart - 1e-6, what)
        if trained == before:  # it may join in later
            return
        self._train_alone("generator", state)
        passing = self._scores(state.method)
        what = "alone, the generator learns to be scored lower by the discriminator: is the sign right?"
        require(passing.predicted >= trained.predicted, what)

    def _train_alone(self, role: str, state: TrainState) -> None:
        for other, optimizer in state.optimizers.items():
            set_rates({other: optimizer}, 5e-3 if other == role else 0.0)
        self.train(state, 0, self.steps // 2)

    def _scores(self, method: Method) -> _Scores:
        given, judge = self.batch(), method.networks["discriminator"]
        with torch.no_grad():
            real = judge(given.condition, given.target)
            predicted = judge(given.condition, _seeded(method, given.condition))
        return _Scores(real.mean().item(), predicted.mean().item())

    def test_a_step_changes_weights_alone(self) -> None:
        """It does not modify the batch, and leaves the networks in training mode."""
        state, given = self.train_state(), self.batch()
        copies = [side.clone() for side in given]
        with drawing(0):
            train_step(state.method, given, state.optimizers, with_norms=False)
        require(all(map(torch.equal, given, copies)), "it changes the batch in place")
        for role, network in state.method.networks.items():
            trains = all(module.training for module in network.modules())
            require(trains, f"after a step the {role} is in evaluation mode, and would be for the rest of the training")

    def test_a_resume_is_exact(self) -> None:
        """Resuming from a checkpoint gives the same result as an uninterrupted training: its state is in `state`."""
        pause, last = self.steps, self.steps + 4
        with TemporaryDirectory() as folder:
            whole, first, resumed = self.train_state(), self.train_state(), self.train_state()
            self.train(whole, 0, last)
            self.train(first, 0, pause)
            saved = save(Path(folder), TrainProgress(step=pause), first, keep=1)
            restore(open_checkpoint(saved, run="", optimizers=True), resumed)
            self.train(resumed, pause, last)
        expected, given = _carried(whole.method), _carried(resumed.method)
        different = [name for name in expected if name not in given or not expected[name].equal(given[name])]
        what = f"resumed after {pause} of {last} steps"
        require(not different, f"{what}, `{different and different[0]}` is not as without a pause")
        condition = self.batch().condition
        with torch.no_grad():
            same = _seeded(whole.method, condition).equal(_seeded(resumed.method, condition))
        require(same, f"{what}, it predicts something else than without a pause")

    def test_it_does_without_an_adversarial_loss(self) -> None:
        """A recipe may drop that loss, and the discriminator with it: it trains so, or says in a ValueError why not."""
        networks = {role: network for role, network in self.networks().items() if role != "discriminator"}
        losses = {name: loss for name, loss in self.losses().items() if isinstance(loss.loss, Loss)}
        try:
            method: Method = self.construct(networks=networks, losses=losses)
        except (ValueError, RecipeError):
            return
        optimizers = make_optimizers(networks, OptimizerSettings(), _CPU)
        with drawing(0):
            train_step(method, self.batch(), optimizers, with_norms=False)


class _Scores(NamedTuple):
    """Mean score of a discriminator."""

    real: float
    predicted: float

    @property
    def apart(self) -> float:
        return self.real - self.predicted


def _seeded(method: Method, condition: Tensor) -> Tensor:
    with torch.random.fork_rng([]):
        torch.manual_seed(5)
        return method.predict(condition)


def _reaches(value: Tensor, weights: Sequence[Tensor]) -> bool:
    """True if a gradient flows from a value to any of some weights."""
    if not value.requires_grad:
        return False
    trained = [weight for weight in weights if weight.requires_grad]
    gradients = torch.autograd.grad(value, trained, retain_graph=True, materialize_grads=True)
    return any(gradient.any() for gradient in gradients)


def _carried(method: Method) -> dict[str, Tensor]:
    """All that a checkpoint holds of a method: its networks, by role, and its own state."""
    networks = {
        f"{role}.{name}": tensor
        for role, network in method.networks.items()
        for name, tensor in network.state_dict().items()
    }
    return {**networks, **method.state()}
