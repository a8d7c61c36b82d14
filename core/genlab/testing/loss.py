"""Conformance tests of losses that compare a prediction with its target.

What is compared is computed by copies of a loss, as it may remember what it has seen.
"""

from __future__ import annotations

from copy import deepcopy
from typing import ClassVar

import torch
from torch import Tensor

from genlab.interfaces.batch import Batch
from genlab.interfaces.loss import Loss
from genlab.interfaces.step_context import StepContext
from genlab.testing.device import require_one_device
from genlab.testing.examples import batch, perfect, wrong
from genlab.testing.loss_flags import require_mean_is_declared, require_memory_is_declared
from genlab.testing.suite import Suite, require, require_fingerprint


class LossSuite(Suite):
    """A loss's part of the contract; what the class says of itself, such as `is_mean`, is checked too."""

    kind = "loss"
    size: ClassVar[int] = 32

    def loss(self) -> Loss:
        """A new loss with the suite's settings."""
        return self.construct()

    def example(self, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Condition, target, and a prediction that is far from it."""
        given = batch(self.component.predictions, size=self.size, seed=seed)
        return given.condition, given.target, wrong(given.target, self.component.predictions, seed)

    def perfect(self, target: Tensor) -> Tensor:
        """The prediction that a target calls for."""
        return perfect(target, self.component.predictions)

    def test_it_is_one_finite_number(self) -> None:
        """It is one finite number for any batch, also of a single image, and the same each time."""
        for count in (2, 1):
            example = [tensor[:count] for tensor in self.example()]
            value: object = self.loss()(*example)
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            require(shape == (), f"it returns {shape}; expected a tensor with one value")
            assert isinstance(value, Tensor)
            require(value.isfinite(), f"it is {value.item()} at batch {count}")
            require(value.equal(self.loss()(*example)), "it gives another value each time")

    def test_what_it_carries_is_in_its_buffers(self) -> None:
        """Its buffers hold all that it remembers of earlier batches, as a checkpoint holds nothing else of it."""
        loss, resumed = self.loss(), self.loss()
        for seed in (1, 2):
            loss(*self.example(seed))
        resumed.load_state_dict(loss.state_dict())
        example = self.example()
        what = "after other batches it gives another value than one with the same buffers: it remembers more than these"
        require(loss(*example).equal(resumed(*example)), what)

    def test_it_says_whether_it_remembers_images(self) -> None:
        """Its buffers depend on the images seen only if its class says so, as several devices see different ones."""
        one, other = self.loss(), self.loss()
        one(*self.example(1))
        other(*self.example(2))
        require_memory_is_declared(self.component, one, other)

    def test_its_gradient_leads_downwards(self) -> None:
        """It is differentiable, and a small step against the gradient lowers it."""
        loss = self.loss()
        condition, target, prediction = self.example()
        value = deepcopy(loss)(condition, target, prediction.requires_grad_())
        require(value.requires_grad, "no gradient comes back from it: is it computed without, or detached?")
        (gradient,) = torch.autograd.grad(value, prediction, materialize_grads=True)
        require(gradient.any(), "its gradient by the prediction is 0")
        require(gradient.isfinite().all(), "its gradient is not finite")
        step = 0.01 * prediction.norm() / gradient.norm()
        lower = loss(condition, target, (prediction - step * gradient).detach())
        require(lower < value, f"a step against its gradient takes it from {value:.6g} to {lower:.6g}")

    def test_it_is_least_at_the_target(self) -> None:
        """Nothing scores better than the target itself, and there the gradient is finite too."""
        if not self.component.least_at_target:
            return
        loss = self.loss()
        condition, target, prediction = self.example()
        best = self.perfect(target).requires_grad_()
        at_target = deepcopy(loss)(condition, target, best)
        require(at_target.isfinite(), f"at the target it is {at_target.item()}")
        (gradient,) = torch.autograd.grad(at_target, best, materialize_grads=True)
        require(gradient.isfinite().all(), "at the target its gradient is not finite")
        name, other, shares = "noise", prediction, (0.01, 0.1, 1.0)
        if self.component.predictions == "classes":
            # Scores may be surer than a loss wants them: on the way to others it may be lower, and at these it is not.
            name, other, shares = "other classes", self.perfect(target.roll(1, dims=1)), (1.0,)
        for share in shares:
            away = deepcopy(loss)(condition, target, torch.lerp(best, other, share).detach())
            what = f"at the target it is {at_target:.6g}, and {share:.0%} of the way to {name} {away:.6g}"
            require(away >= at_target - 1e-6, what)

    def test_it_is_a_mean(self) -> None:
        """It does not grow with the batch, nor with the size of the images."""
        loss = self.loss()
        example = self.example()
        value = deepcopy(loss)(*example)
        repeated = deepcopy(loss)(*(tensor.repeat(3, 1, 1, 1) for tensor in example))
        what = f"for the same images three times over it is {repeated:.6g} instead of {value:.6g}"
        require(torch.isclose(repeated, value, rtol=1e-3), f"{what}: take the mean over the batch")
        tiled = loss(*(tensor.repeat(1, 1, 2, 2) for tensor in example))
        what = f"for images of four times the area it is {tiled:.6g} instead of {value:.6g}"
        # Twice as much at most: at the seams of the tiles it may find what is not in the images.
        near = (tiled - value).abs() <= max(value.abs(), tiled.abs()) / 2
        require(near, f"{what}: take the mean over pixels")

    def test_what_it_loads_has_a_hash(self) -> None:
        """A hash of what it loads, or none, is the same for another one of the same settings."""
        require_fingerprint(self.loss(), self.loss())

    def test_it_says_whether_it_is_a_mean_over_images(self) -> None:
        """It is the mean of its values for each image, or its class says otherwise, as several devices average it."""
        loss = self.loss()
        condition, target, far = self.example()
        near = torch.lerp(self.perfect(target), far, 0.1)
        example = (condition, target, torch.cat([near[:1], far[1:]]))
        value = deepcopy(loss)(*example)
        of_each = [deepcopy(loss)(*image) for image in zip(*(side.split(1) for side in example), strict=True)]
        require_mean_is_declared(self.component, "it", value, of_each)

    def test_it_leaves_out_pixels_if_it_is_pixelwise(self) -> None:
        """If its class says that it is pixelwise, pixels where both sides agree add nothing to the mean over all."""
        if not self.component.is_pixelwise:
            return
        condition, target, prediction = self.example()
        counted = torch.arange(self.size) < self.size // 4
        if self.component.predictions == "classes":
            target = target * counted
        masked = Batch(condition, target, mask=counted.expand(len(target), 1, self.size, -1))
        step = StepContext(masked, prediction)
        value = step.mean_over_counted(self.loss()(step.condition, step.target, step.prediction))
        alone = self.loss()(*(side[..., : self.size // 4] for side in (condition, target, prediction)))
        what = f"over a quarter of the pixels it is {value:.6g}, and of these alone {alone:.6g}"
        hint = "say is_pixelwise = False in the class, unless others should add 0"
        require(torch.isclose(value, alone, rtol=1e-4, atol=1e-6), f"{what}: {hint}")

    def test_inputs_are_left_alone(self) -> None:
        """It changes no input in place, as others use them."""
        example = self.example()
        copies = [tensor.clone() for tensor in example]
        self.loss()(*example)
        require(all(map(torch.equal, example, copies)), "it modifies its inputs in place")

    def test_it_works_under_autocast(self) -> None:
        """In bfloat16 it gives nearly the same."""
        loss = self.loss()
        condition, target, prediction = self.example()
        value = deepcopy(loss)(condition, target, prediction)
        with torch.autocast("cpu", torch.bfloat16):
            given = loss(condition, target, prediction.bfloat16()).float()
        require(torch.isclose(given, value, rtol=0.1), f"in bfloat16 it is {given:.4g} instead of {value:.4g}")

    def test_it_goes_to_a_device(self) -> None:
        """Sent to a GPU, it computes there with nothing that stays behind: parameters and buffers go along."""
        loss = self.loss()
        require_one_device(loss, loss, *self.example())
