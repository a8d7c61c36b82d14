"""Conformance tests of objectives: terms of one side of the game that see the step."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from typing_extensions import override

from genlab.errors import TrainingError
from genlab.interfaces.batch import Batch
from genlab.interfaces.loss import Objective
from genlab.interfaces.network import Discriminator, Scored
from genlab.interfaces.position import Draws, Position
from genlab.interfaces.step_context import StepContext
from genlab.testing.device import require_one_device
from genlab.testing.examples import batch, wrong
from genlab.testing.loss_flags import require_mean_is_declared, require_memory_is_declared
from genlab.testing.suite import ConformanceError, Suite, drawing, require, require_fingerprint


class _Judge(Discriminator):
    """A smooth discriminator at several scales.

    Args:
        scales: number of maps; each sees the image at half the size of the one before.
        has_features: whether it gives features.
    """

    def __init__(self, scales: int, has_features: bool) -> None:
        super().__init__()
        self.receptive_field, self.min_size = 7 * 2**scales, 7 * 2**scales
        self.feature_channels = (4,) * scales if has_features else ()
        self.inner = nn.ModuleList(nn.Conv2d(6, 4, 3, stride=2) for _ in range(scales))
        self.outer = nn.ModuleList(nn.Conv2d(4, 1, 3) for _ in range(scales))

    @override
    def forward(
        self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n 1 i j"] | Scored:
        seen = torch.cat([condition, image], dim=1)
        features = [layer(avg_pool2d(seen, 2**scale)).tanh() for scale, layer in enumerate(self.inner)]
        maps = [layer(feature) for layer, feature in zip(self.outer, features, strict=True)]
        if len(maps) == 1 and not self.feature_channels:
            return maps[0]
        return Scored(maps, features if self.feature_channels else ())


class ObjectiveSuite(Suite):
    """An objective's part of the contract, for either side of the game: with toy networks and the step that they take.

    What its class says of itself is checked too, such as `needs_features` and `is_mean`.
    """

    kind = "loss"
    size: ClassVar[int] = 32

    def objective(self) -> Objective:
        """A new objective with the suite's settings."""
        return self.construct()

    def judge(self, scales: int = 2) -> Discriminator | None:
        """A toy discriminator that gives what the class says that it needs, and no more."""
        with drawing(0):
            return _Judge(scales, self.component.needs_features) if self.component.needs_discriminator else None

    def batch(self, samples: Sequence[int] = (0, 1), seed: int = 0) -> Batch:
        """Images at these positions of the training; the same position has the same image."""
        pool = batch("images", max(samples) + 1, self.size, seed)
        sides = (side[list(samples)] for side in pool.sides)
        return Batch(*sides, position=Position(3, 10), draws=Draws(0, tuple(samples)))

    def prediction(self, given: Batch) -> Tensor:
        """Predictions that are near to the target for some images, and far for others."""
        shares = torch.tensor([0.2 + 0.6 * (sample % 2) for sample in given.draws.samples])
        return torch.lerp(given.target, wrong(given.target[:1], "images"), shares.view(-1, 1, 1, 1))

    def value(self, objective: Objective, given: Batch, judge: Discriminator | None) -> Tensor:
        """The value for a batch, as the method of its side would ask for it."""
        return objective(StepContext(given, self.prediction(given), judge))

    def test_it_says_what_it_is(self) -> None:
        """Its class says whose it is and what it needs, and `every` is a number of steps."""
        side, every = cast(object, self.component.side), cast(object, self.objective().every)
        require(
            side in ("generator", "discriminator"), f'its side is {side!r}; expected "generator" or "discriminator"'
        )
        is_alone = not self.component.needs_discriminator
        contradiction = is_alone and (self.component.needs_features or side == "discriminator")
        require(not contradiction, "its needs_discriminator is False, and it is nothing without one")
        is_number = isinstance(every, int) and not isinstance(every, bool) and every >= 1
        require(is_number, f"its every is {every!r}; expected a number of steps, at least 1")

    def test_it_asks_for_what_it_says(self) -> None:
        """It asks the step for scores and features only if its class says that it needs them."""
        try:
            self.value(self.objective(), self.batch(), self.judge())
        except TrainingError as error:
            what = f"it cannot do with a discriminator that gives what it says it needs: {error.what}"
            raise ConformanceError(f"{what}; set needs_discriminator and needs_features in the class") from error

    def test_it_is_one_finite_number(self) -> None:
        """It is one finite number for any batch and any number of maps of scores, and the same each time."""
        for scales, samples in ((1, (0, 1)), (2, (0, 1)), (2, (0,))):
            given, judge = self.batch(samples), self.judge(scales)
            value = cast(object, self.value(self.objective(), given, judge))
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            require(shape == (), f"it returns {shape}; expected a tensor with one value")
            assert isinstance(value, Tensor)
            require(value.isfinite(), f"it is {value.item()} at batch {len(samples)}")
            again = self.value(self.objective(), given, judge)
            require(value.equal(again), "it gives another value each time: draw from step.draws")

    def test_it_draws_from_the_step(self) -> None:
        """Random numbers come from `step.draws`: the same on any number of devices, and after a resume."""
        values: list[Tensor] = []
        for seed in (1, 2):
            with drawing(seed):
                values.append(self.value(self.objective(), self.batch(), self.judge()))
        require(values[0].equal(values[1]), "it depends on random numbers that are not the step's: use step.draws")

    def test_what_it_carries_is_in_its_buffers(self) -> None:
        """Its buffers hold all that it remembers of earlier steps, as a checkpoint holds nothing else of it."""
        objective, resumed, judge = self.objective(), self.objective(), self.judge()
        for seed in (1, 2):
            self.value(objective, self.batch(seed=seed), judge)
        resumed.load_state_dict(objective.state_dict())
        values = [self.value(each, self.batch(), judge) for each in (objective, resumed)]
        what = "after other steps it gives another value than one with the same buffers: it remembers more than these"
        require(values[0].equal(values[1]), what)

    def test_it_says_whether_it_remembers_images(self) -> None:
        """Its buffers depend on the images seen only if its class says so, as several devices see different ones."""
        seen = self.objective(), self.objective()
        for seed, objective in enumerate(seen, start=1):
            self.value(objective, self.batch(seed=seed), self.judge())
        require_memory_is_declared(self.component, *seen)

    def test_its_gradient_leads_downwards(self) -> None:
        """The weights of its side have a gradient, and a small step against it lowers the value."""
        side, given, judge = self.component.side, self.batch(), self.judge()
        painter = nn.Conv2d(3, 3, 1)
        objective = self.objective()
        network = judge if side == "discriminator" else painter
        assert network is not None

        def value() -> Tensor:
            made = painter(self.prediction(given)).tanh()
            shown = made.detach() if side == "discriminator" else made
            return deepcopy(objective)(StepContext(given, shown, judge))

        weights, before = list(network.parameters()), value()
        hint = "is it detached, or a gradient without create_graph=True?"
        require(before.requires_grad, f"no gradient comes back from it: {hint}")
        gradients = torch.autograd.grad(before, weights, materialize_grads=True)
        require(any(gradient.any() for gradient in gradients), f"no gradient reaches the {side}'s weights: {hint}")
        require(all(gradient.isfinite().all() for gradient in gradients), "its gradient is not finite")
        steepness = torch.stack([gradient.square().sum() for gradient in gradients]).sum()
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(0.01 * before / steepness * gradient)
        after = value()
        require(after < before, f"a step against its gradient takes it from {before:.6g} to {after:.6g}")

    def test_all_maps_have_a_part(self) -> None:
        """If it teaches one of a discriminator's maps of scores, it teaches all."""
        judge = self.judge()
        if self.component.side == "generator" or judge is None:
            return
        assert isinstance(judge, _Judge)
        value = self.value(self.objective(), self.batch(), judge)
        weights = [cast(nn.Conv2d, layer).weight for layer in judge.outer]
        taught = [bool(each.any()) for each in torch.autograd.grad(value, weights, materialize_grads=True)]
        require(len(set(taught)) == 1, "of a discriminator of several maps it teaches some: take the mean over maps")

    def test_it_is_a_mean(self) -> None:
        """It does not grow with the batch."""
        objective, judge = self.objective(), self.judge()
        value, repeated = (
            self.value(deepcopy(objective), self.batch(samples), judge) for samples in ((0, 1), (0, 1) * 3)
        )
        what = f"for the same images three times over it is {repeated:.6g} instead of {value:.6g}"
        require(torch.isclose(repeated, value, rtol=1e-3), f"{what}: take the mean over the batch")

    def test_it_says_whether_it_is_a_mean_over_images(self) -> None:
        """It is the mean of its values for each image, or its class says otherwise, as several devices average it."""
        objective, judge = self.objective(), self.judge()
        value, *of_each = (
            self.value(deepcopy(objective), self.batch(samples), judge) for samples in ((0, 1), (0,), (1,))
        )
        require_mean_is_declared(self.component, "it", value, of_each)

    def test_what_it_loads_has_a_hash(self) -> None:
        """A hash of what it loads, or none, is the same for another one of the same settings."""
        require_fingerprint(self.objective(), self.objective())

    def test_the_step_is_left_alone(self) -> None:
        """It changes neither images nor the discriminator, which others use."""
        given, judge = self.batch(), self.judge()
        prediction = self.prediction(given)
        before = [side.clone() for side in (*given.sides, prediction)]
        kept = deepcopy(judge)
        self.objective()(StepContext(given, prediction, judge))
        sides = (*given.sides, prediction)
        require(all(map(torch.equal, sides, before)), "it changes the images of the step in place")
        asking = any(side.requires_grad for side in sides)
        require(not asking, "it sets requires_grad on the step's images: detach them first, image.detach()")
        if judge is None or kept is None:
            return
        same = all(map(torch.equal, judge.state_dict().values(), kept.state_dict().values())) and judge.training
        require(same, "it changes the discriminator")
        left = [name for name, weight in judge.named_parameters() if weight.grad is not None]
        require(not left, "it leaves gradients in the discriminator's weights: use torch.autograd.grad")

    def test_it_works_under_autocast(self) -> None:
        """In bfloat16 it gives nearly the same."""
        objective, given, judge = self.objective(), self.batch(), self.judge()
        value = self.value(deepcopy(objective), given, judge)
        with torch.autocast("cpu", torch.bfloat16):
            lower = self.value(objective, given, judge).float()
        require(torch.isclose(lower, value, rtol=0.1), f"in bfloat16 it is {lower:.4g} instead of {value:.4g}")

    def test_it_goes_to_a_device(self) -> None:
        """Sent to a GPU, it computes there with nothing that stays behind: parameters and buffers go along."""
        objective, given, judge = self.objective(), self.batch(), self.judge()

        def value(*images: Tensor) -> Tensor:
            condition, target, prediction = images
            return objective(StepContext(given._replace(condition=condition, target=target), prediction, judge))

        together = nn.ModuleList([objective] if judge is None else [objective, judge])
        require_one_device(together, value, *given.sides, self.prediction(given))
