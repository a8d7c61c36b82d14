"""Conformance tests of methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.engine.checkpoint import restore, save
from genlab.engine.checkpoint_state import TrainProgress, open_checkpoint
from genlab.engine.requests import require_request
from genlab.engine.step import train_step
from genlab.engine.train_state import TrainState
from genlab.errors import PluginError, RecipeError
from genlab.interfaces.batch import Batch
from genlab.interfaces.loss import Loss
from genlab.interfaces.method import Method
from genlab.interfaces.network import as_scored
from genlab.interfaces.position import Position
from genlab.interfaces.role import Role
from genlab.interfaces.weight import Weight
from genlab.testing.examples import batch
from genlab.testing.suite import ConformanceError, drawing, require, require_fingerprint
from genlab.testing.toy_training import RATE, ToyTraining, toy_optimizers


class MethodSuite(ToyTraining):
    """A method's part of the contract: with toy networks and toy losses, it trains.

    Losses are one that compares with the target, and, for a discriminator, an adversarial one. Networks are toys, of
    which generators have features; one of the kind `network` joins all that it reads, channel by channel, and gives one
    tensor (n, 4, h, w). A method that needs others overrides `toy(self, role, supplied)`, of which `gen plugins check`
    cannot know.
    """

    def test_its_phases_update_its_networks(self) -> None:
        """Each network that is trained is updated by one of its phases, others by none; phases are always the same."""
        require(self.component.predictions in ("images", "classes"), f"predictions is {self.component.predictions!r}")
        roles: Mapping[str, Role] = self.component.roles
        method = self.method()
        constructed = all(hasattr(method, name) for name in ("networks", "losses"))
        require(constructed, f"the constructor of {type(method).__name__} does not call that of genlab.Method")
        phases = method.phases()
        names = [phase.name for phase in phases]
        require(len(set(names)) == len(names) > 0, f"its phases are called {', '.join(names) or 'nothing at all'}")
        updated = {role for phase in phases for role in phase.updates}
        trained = {name for name, role in roles.items() if role.trained}
        require(updated == trained, f"its phases update {sorted(updated)}, and the trained ones are {sorted(trained)}")
        method.begin(Position(self.steps, 2 * self.steps))
        later = [(phase.name, phase.updates, phase.every, phase.repeats, phase.fresh) for phase in method.phases()]
        first = [(phase.name, phase.updates, phase.every, phase.repeats, phase.fresh) for phase in phases]
        require(first == later, "its phases are others later on: let `every` say what takes part in some steps only")

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
        most = prediction.abs().max().item()
        within = self.component.predictions != "images" or most <= 1 + 1e-4
        require(within, f"a prediction reaches {most:.3g}, and images are in [-1, 1]: end with a tanh, or clamp")

    def test_the_way_back_is_like_its_condition(self) -> None:
        """If it predicts the way back, that has the shape of the condition."""
        if self.component.predict_condition is Method.predict_condition:
            return
        method, given = self.method(), self.batch()
        with torch.no_grad(), drawing(5):
            back = method.predict_condition(given.target)
        shapes = tuple(back.shape), tuple(given.condition.shape)
        require(shapes[0] == shapes[1], f"predict_condition gives {shapes[0]}, and the condition is {shapes[1]}")

    def test_a_weight_may_change(self) -> None:
        """Weights of terms follow a loss's weight that changes over the training."""
        late = self.batch(step=2 * self.steps - 1)
        fixed, other, changing = (
            self._weights(self.method(weight), late) for weight in (Weight(10.0), Weight(20.0), Weight(20.0, 10.0, 0.5))
        )
        if fixed == other:  # no loss but its own
            return
        what = "a loss's weight that changes from 10 to 20 counts as 10 at the end: take weight.at(batch.position)"
        require(changing == other, what)

    def _weights(self, method: Method, given: Batch) -> dict[str, float]:
        with drawing(0):
            method.begin(given.position)
            shared = method.forward(given)
            found = [(phase, phase.terms(given, shared)) for phase in method.phases()]
        return {f"{phase.name}/{name}": term.weight for phase, terms in found for name, term in terms.items()}

    def test_it_draws_by_sample(self) -> None:
        """Random numbers in training come from `batch.draws`: the same on any number of devices."""
        method, given = self.method(), self.batch()
        for network in method.networks.values():
            network.eval()
        values = [self._values(method, given, seed) for seed in (1, 2)]
        other = [name for name, value in values[0].items() if not value.equal(values[1][name])]
        what = f"the term {other and other[0]} depends on random numbers that are not those of the batch"
        require(not other, f"{what}: use batch.draws, which is the same on any number of devices")

    def _values(self, method: Method, given: Batch, seed: int) -> dict[str, Tensor]:
        """The value of each term, with the process's random numbers seeded."""
        with drawing(seed):
            method.begin(given.position)
            shared = method.forward(given)
            found = [(phase, phase.terms(given, shared)) for phase in method.phases()]
        return {f"{phase.name}/{name}": term.value.detach() for phase, its in found for name, term in its.items()}

    def test_it_follows_masks_if_it_says_so(self) -> None:
        """If its class says so, no term depends on a prediction of which no pixel counts."""
        if not self.component.follows_masks:
            return
        method, given = self.method(), self.batch()
        masked = given._replace(mask=torch.zeros_like(given.target[:, :1], dtype=torch.bool))
        first = self._values(method, masked, seed=0)
        for role, network in method.networks.items():
            if self.component.roles[role].kind == "generator":
                for weight in network.parameters():
                    weight.data.neg_()
        second = self._values(method, masked, seed=0)
        other = [name for name, value in first.items() if not value.equal(second[name])]
        what = f"where no pixel counts, the term {other and other[0]} depends on what the generator predicts"
        require(not other, f"{what}: compare by a StepContext of the batch, or leave follows_masks out of the class")

    def test_it_says_whether_it_remembers_images(self) -> None:
        """If what it carries depends on the images seen, and not on weights alone, its class says so."""
        one, other = (self._state_after(batch(self.component.predictions, seed=seed)) for seed in (0, 7))
        changed = [name for name, tensor in one.items() if name not in other or not tensor.equal(other[name])]
        what = f"its `{changed and changed[0]}` depends on the images that it has seen"
        require(not changed or self.component.remembers_images, f"{what}: say remembers_images = True in the class")

    def _state_after(self, images: Batch) -> Mapping[str, Tensor]:
        """State that it carries after a step without updates."""
        method, given = self.method(), self.batch()._replace(condition=images.condition, target=images.target)
        with drawing(0):
            method.begin(given.position)
            shared = method.forward(given)
            for phase in method.phases():
                phase.terms(given, shared)
        return method.state()

    def test_training_lowers_the_loss(self) -> None:
        """After a few steps, predictions of the toy are nearer to their targets, if it learns from pairs."""
        if not self.component.needs_pairs:
            return
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
        """Each discriminator alone learns to tell its images from predictions, then the generator to pass as real."""
        for name, role in self.discriminators().items():
            state = self.train_state(weight=Weight(1e-6))
            before = self._scores(state.method, name, role)
            self._train_alone([name], state)
            trained = self._scores(state.method, name, role)
            what = f"alone, the {name} learns to score predictions higher than targets: is the sign right?"
            require(trained.apart >= before.apart - 1e-6, what)
            if trained == before:  # it may join in later
                continue
            generators = [other for other, its in self.component.roles.items() if its.kind == "generator"]
            self._train_alone(generators, state)
            passing = self._scores(state.method, name, role)
            what = f"alone, the generator learns to be scored lower by the {name}: is the sign right?"
            require(passing.predicted >= trained.predicted, what)

    def _train_alone(self, roles: Sequence[str], state: TrainState) -> None:
        for other, optimizer in state.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = RATE if other in roles else 0.0
        self.train(state, 0, self.steps // 2)

    def _scores(self, method: Method, name: str, role: Role) -> _Scores:
        given, judge = self.batch(), method.networks[name]
        *shown, scored = role.reads
        sides: dict[str | int, Tensor] = {"condition": given.condition, "target": given.target}
        condition = torch.cat([sides[side] for side in shown], dim=1) if shown else given.condition[:, :0]
        with torch.no_grad(), drawing(5):
            predict = method.predict_condition if scored == "condition" else method.predict
            predicted = predict(given.condition if scored == "target" else given.target)
            maps = [as_scored(judge(condition, image)).maps[0] for image in (sides[scored], predicted)]
        return _Scores(maps[0].mean().item(), maps[1].mean().item())

    def test_a_step_changes_weights_alone(self) -> None:
        """It does not modify the batch, and leaves the networks in training mode."""
        state, given = self.train_state(), self.batch()
        copies = [side.clone() for side in given.sides]
        with drawing(0):
            train_step(state.method, repeat(given), state.optimizers, with_norms=False)
        require(all(map(torch.equal, given.sides, copies)), "it changes the batch in place")
        for role in state.optimizers:
            trains = all(module.training for module in state.method.networks[role].modules())
            require(trains, f"after a step the {role} is in evaluation mode, and would be for the rest of the training")

    def test_it_asks_for_what_there_is(self) -> None:
        """After a step it asks for nothing, an end, or a checkpoint."""
        state = self.train_state()
        self.train(state, 0, 1)
        try:
            require_request(state.method.request(), "its request()")
        except PluginError as error:
            raise ConformanceError(str(error)) from error

    def test_what_it_loads_has_a_hash(self) -> None:
        """A hash of what it loads, or none, is the same for another one of the same settings."""
        require_fingerprint(self.method(), self.method())

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
        networks = {role: network for role, network in self.networks().items() if role not in self.discriminators()}
        losses = {name: loss for name, loss in self.losses().items() if isinstance(loss.loss, Loss)}
        try:
            method = self.built(networks, losses)
        except (ValueError, RecipeError):
            return
        optimizers, given = toy_optimizers(method), self.batch()
        with drawing(0):
            train_step(method, repeat(given), optimizers, with_norms=False)


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
