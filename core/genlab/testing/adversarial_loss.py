"""Conformance tests of adversarial losses."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor

from genlab.interfaces.loss import AdversarialLoss, Scores
from genlab.testing.device import require_one_device
from genlab.testing.examples import images
from genlab.testing.loss_flags import require_mean_is_declared, require_memory_is_declared
from genlab.testing.suite import Suite, require, require_fingerprint


def scores_of(real: Tensor, predicted: Tensor) -> Scores:
    """Scores that are there already."""
    return Scores(lambda: real, lambda: predicted)


class AdversarialLossSuite(Suite):
    """An adversarial loss's part of the contract: the two sides of the game pull scores in the right directions."""

    kind = "loss"

    def loss(self) -> AdversarialLoss:
        """A new loss with the suite's settings."""
        return self.construct()

    def scores(self, mean: float, seed: int = 0, count: int = 2) -> Tensor:
        """A map of scores around a mean, for each of some images."""
        return mean + images(count, 1, 6, 6, seed)

    def values(self, loss: AdversarialLoss, real: Tensor, predicted: Tensor) -> dict[str, Tensor]:
        """Values of both sides for scores of real images and of predictions."""
        return {
            "for_generator": loss.for_generator(scores_of(real, predicted)),
            "for_discriminator": loss.for_discriminator(scores_of(real, predicted)),
        }

    def test_both_sides_are_one_finite_number(self) -> None:
        """Both sides are one finite number for any scores, however sure they are, and the same each time."""
        for count, mean in ((2, 0.0), (2, 1000.0), (2, -1000.0), (1, 0.0)):
            scores = self.scores(mean, count=count), self.scores(-mean, 1, count)
            values, again = self.values(self.loss(), *scores), self.values(self.loss(), *scores)
            for side, value in values.items():
                is_tensor = isinstance(cast(object, value), Tensor)
                given = tuple(value.shape) if is_tensor else type(value).__name__
                require(given == (), f"{side} gives {given}, and a loss is a tensor with one value")
                require(value.isfinite(), f"{side} is {value.item()} for scores around {mean:g} and {-mean:g}")
                require(value.equal(again[side]), f"{side} gives another value each time")

    def test_what_it_carries_is_in_its_buffers(self) -> None:
        """Its buffers hold all that it remembers of earlier scores, as a checkpoint holds nothing else of it."""
        loss, resumed = self.loss(), self.loss()
        for mean in (1.0, -2.0):
            self.values(loss, self.scores(mean), self.scores(-mean, 1))
        resumed.load_state_dict(loss.state_dict())
        scores = self.scores(0.5), self.scores(0.0, 1)
        values, of_resumed = self.values(loss, *scores), self.values(resumed, *scores)
        for side, value in values.items():
            what = "after other scores gives another value than one with the same buffers: it remembers more than these"
            require(value.equal(of_resumed[side]), f"{side} {what}")

    def test_it_says_whether_it_remembers_images(self) -> None:
        """Its buffers depend on the scores seen only if its class says so, as several devices see different ones."""
        one, other = self.loss(), self.loss()
        self.values(one, self.scores(1.0), self.scores(-1.0, 1))
        self.values(other, self.scores(0.5, 2), self.scores(0.0, 3))
        require_memory_is_declared(self.component, one, other)

    def test_the_generator_wants_its_predictions_taken_as_real(self) -> None:
        """Its side is lower the higher the scores of predictions are, and its gradient says so."""
        loss = self.loss()
        real = self.scores(0.5, 1)
        low, high = (loss.for_generator(scores_of(real, self.scores(mean))) for mean in (-2.0, 0.5))
        require(high < low, f"for_generator is {low:.4g} for low scores and {high:.4g} for high ones; higher is better")
        scores = self.scores(-2.0).requires_grad_()
        value = loss.for_generator(scores_of(real, scores))
        require(value.requires_grad, "no gradient comes back from for_generator")
        (gradient,) = torch.autograd.grad(value, scores)
        require(gradient.sum() < 0, "the gradient of for_generator lowers the scores of predictions")
        given = self._wanted_of_predictions().requires_grad_()
        (gradient,) = torch.autograd.grad(loss.for_generator(scores_of(torch.ones_like(given), given)), given)
        score = f"{given.mean():g}"
        what = f"where predictions score {score}, as for_discriminator wants, for_generator does not want them higher"
        require(gradient.sum() < 0, what)

    def _wanted_of_predictions(self) -> Tensor:
        """A map of the score at which predictions cost the discriminator least."""
        loss, real = self.loss(), torch.ones(1, 1, 6, 6)
        maps = [torch.full_like(real, score / 4) for score in range(-12, 13)]
        return min(maps, key=lambda given: loss.for_discriminator(scores_of(real, given)).item())

    def test_the_discriminator_wants_both_told_apart(self) -> None:
        """Its side is lower the higher real images score and the lower predictions do."""
        loss = self.loss()
        right = loss.for_discriminator(scores_of(self.scores(1.0), self.scores(-1.0, 1)))
        confused = loss.for_discriminator(scores_of(self.scores(-1.0), self.scores(1.0, 1)))
        require(
            right < confused, f"for_discriminator is {right:.4g} for separated scores, {confused:.4g} for swapped ones"
        )
        real, predicted = self.scores(0.3).requires_grad_(), self.scores(0.3, 1).requires_grad_()
        value = loss.for_discriminator(scores_of(real, predicted))
        require(value.requires_grad, "no gradient comes back from for_discriminator")
        for_real, for_predicted = torch.autograd.grad(value, (real, predicted), materialize_grads=True)
        require(for_real.sum() < 0, "its gradient does not raise the scores of real images")
        require(for_predicted.sum() > 0, "its gradient does not lower the scores of predictions")

    def test_it_is_a_mean(self) -> None:
        """It does not grow with the batch, nor with the number of scores."""
        loss, scores = self.loss(), (self.scores(0.2), self.scores(-0.2, 1))
        values = self.values(deepcopy(loss), *scores)
        of_more = self.values(loss, *(each.repeat(3, 1, 2, 2) for each in scores))
        for side, value in values.items():
            what = f"{side} is {of_more[side]:.6g} instead of {value:.6g} for the same scores twelve times over"
            require(torch.isclose(of_more[side], value, rtol=1e-3), f"{what}: take the mean")

    def test_what_it_loads_has_a_hash(self) -> None:
        """A hash of what it loads, or none, is the same for another one of the same settings."""
        require_fingerprint(self.loss(), self.loss())

    def test_it_says_whether_it_is_a_mean_over_images(self) -> None:
        """Both sides are means of their values for each image, or its class says otherwise."""
        loss = self.loss()
        real, predicted = (torch.cat([self.scores(mean, count=1), self.scores(-mean, count=1)]) for mean in (0.5, 2.0))
        values = self.values(deepcopy(loss), real, predicted)
        of_each = [self.values(deepcopy(loss), *image) for image in zip(real.split(1), predicted.split(1), strict=True)]
        for side, value in values.items():
            require_mean_is_declared(self.component, side, value, [each[side] for each in of_each])

    def test_inputs_are_left_alone(self) -> None:
        """Other losses take the same scores, so it changes nothing in place."""
        scores = self.scores(0.5), self.scores(-0.5, 1)
        copies = [each.clone() for each in scores]
        self.values(self.loss(), *scores)
        require(all(map(torch.equal, scores, copies)), "it changes the scores that it is given in place")

    def test_it_works_under_autocast(self) -> None:
        """In bfloat16 it gives nearly the same, and is finite for sure scores."""
        loss = self.loss()
        for mean in (0.5, 50.0, -50.0):
            scores = self.scores(mean), self.scores(-mean, 1)
            values = self.values(deepcopy(loss), *scores)
            with torch.autocast("cpu", torch.bfloat16):
                given = self.values(deepcopy(loss), *(each.bfloat16() for each in scores))
            for side, value in values.items():
                what = f"in bfloat16 {side} is {given[side]:.4g} instead of {value:.4g}"
                require(torch.isclose(given[side].float(), value, rtol=0.1, atol=1e-3), what)

    def test_it_goes_to_a_device(self) -> None:
        """Sent to a GPU, it computes there with nothing that stays behind: parameters and buffers go along."""
        for name in ("for_generator", "for_discriminator"):
            loss = self.loss()
            side: Callable[[Scores], Tensor] = getattr(loss, name)

            def value(real: Tensor, predicted: Tensor, side: Callable[[Scores], Tensor] = side) -> Tensor:
                return side(scores_of(real, predicted))

            require_one_device(loss, value, self.scores(0.5), self.scores(-0.5, 1))
