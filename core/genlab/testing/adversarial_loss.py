"""What every adversarial loss must do."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.interfaces.loss import AdversarialLoss
from genlab.testing.examples import images
from genlab.testing.suite import Suite, require


class AdversarialLossSuite(Suite):
    """An adversarial loss's part of the contract: the two sides of the game pull scores in the right directions."""

    kind = "loss"

    def loss(self) -> AdversarialLoss:
        return self.build()

    def scores(self, mean: float, seed: int = 0) -> Tensor:
        """A map of scores around a mean."""
        return mean + images(2, 1, 6, 6, seed)

    def test_both_sides_are_one_finite_number(self) -> None:
        """Of any map of scores, however sure they are, and the same each time."""
        loss = self.loss()
        for mean in (0.0, 1000.0, -1000.0):
            real, predicted = self.scores(mean), self.scores(-mean, 1)
            values = {
                "for_generator": (loss.for_generator(predicted), loss.for_generator(predicted)),
                "for_discriminator": (loss.for_discriminator(real, predicted), loss.for_discriminator(real, predicted)),
            }
            for name, (value, again) in values.items():
                require(value.shape == (), f"{name} gives {tuple(value.shape)}, and a loss is one value")
                require(value.isfinite(), f"{name} is {value.item()} for scores around {mean:g} and {-mean:g}")
                require(value.equal(again), f"{name} gives another value each time")

    def test_the_generator_wants_its_predictions_taken_as_real(self) -> None:
        """Its side is lower the higher the scores of predictions are, and its gradient says so."""
        loss = self.loss()
        low, high = loss.for_generator(self.scores(-2.0)), loss.for_generator(self.scores(0.5))
        require(high < low, f"for_generator is {low:.4g} for low scores and {high:.4g} for high ones; higher is better")
        scores = self.scores(-2.0).requires_grad_()
        value = loss.for_generator(scores)
        require(value.requires_grad, "no gradient comes back from for_generator")
        (gradient,) = torch.autograd.grad(value, scores)
        require(gradient.sum() < 0, "the gradient of for_generator lowers the scores of predictions")

    def test_the_discriminator_wants_both_told_apart(self) -> None:
        """Its side is lower the higher real images score and the lower predictions do."""
        loss = self.loss()
        right = loss.for_discriminator(self.scores(1.0), self.scores(-1.0, 1))
        confused = loss.for_discriminator(self.scores(-1.0), self.scores(1.0, 1))
        require(
            right < confused, f"for_discriminator is {right:.4g} where both are told apart, {confused:.4g} mixed up"
        )
        real, predicted = self.scores(0.3).requires_grad_(), self.scores(0.3, 1).requires_grad_()
        value = loss.for_discriminator(real, predicted)
        require(value.requires_grad, "no gradient comes back from for_discriminator")
        for_real, for_predicted = torch.autograd.grad(value, (real, predicted), materialize_grads=True)
        require(for_real.sum() < 0, "its gradient does not raise the scores of real images")
        require(for_predicted.sum() > 0, "its gradient does not lower the scores of predictions")

    def test_it_is_a_mean(self) -> None:
        """It does not grow with the batch, nor with the number of scores."""
        loss = self.loss()
        real, predicted = self.scores(0.2), self.scores(-0.2, 1)
        more_real, more_predicted = real.repeat(3, 1, 2, 2), predicted.repeat(3, 1, 2, 2)
        pairs = {
            "for_generator": (loss.for_generator(predicted), loss.for_generator(more_predicted)),
            "for_discriminator": (
                loss.for_discriminator(real, predicted),
                loss.for_discriminator(more_real, more_predicted),
            ),
        }
        for name, (value, of_more) in pairs.items():
            what = f"{name} is {of_more:.6g} instead of {value:.6g} for the same scores twelve times over"
            require(torch.isclose(of_more, value, rtol=1e-3), f"{what}: take the mean")
