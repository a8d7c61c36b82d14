"""Pixels that do not count: no loss, discriminator or metric sees what a generator gave there."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab import Batch, Generator, Loss, Method, Metric, StepContext, Weight, WeightedLoss, generator_terms
from genlab.engine.step import train_step
from genlab.testing import ToyDiscriminator, ToyLoss
from genlab_losses.adversarial import Adversarial
from genlab_losses.feature_matching import FeatureMatching
from genlab_losses.gradient_penalty import GradientPenalty
from genlab_losses.l1 import L1
from genlab_losses.l2 import L2
from genlab_losses.relativistic import Relativistic
from genlab_losses.zero_centered_penalty import ZeroCenteredPenalty
from genlab_metrics import l1, psnr, ssim
from genlab_pix2pix.method import Pix2Pix
from genlab_pix2pix.patchgan import PatchGAN
from genlab_segmentation.cross_entropy import CrossEntropy
from genlab_segmentation.metric import SegmentationScores


def drawn(*shape: int, seed: int) -> Tensor:
    return 2 * torch.rand(shape, generator=torch.Generator().manual_seed(seed)) - 1


def masked(count: int = 2, size: int = 32) -> Batch:
    """A batch of which four of five pixels count."""
    mask = drawn(count, 1, size, size, seed=3) < 0.6
    return Batch(drawn(count, 3, size, size, seed=0), drawn(count, 3, size, size, seed=1), mask=mask)


def one_hot(batch: Batch) -> Batch:
    classes = torch.nn.functional.one_hot((batch.target[:, 0] > 0).long() + (batch.target[:, 1] > 0).long(), 3)
    assert batch.mask is not None
    return batch._replace(target=classes.permute(0, 3, 1, 2).float() * batch.mask)


def term(loss: Loss, batch: Batch, prediction: Tensor) -> Tensor:
    terms = generator_terms({"it": WeightedLoss(loss, Weight(1.0))}, StepContext(batch, prediction))
    return terms["it"].value


def entropy(target: Tensor, prediction: Tensor) -> Tensor:
    return -(target * prediction.log_softmax(dim=1)).sum(dim=1, keepdim=True)


BY_HAND: list[tuple[type[Loss], Callable[[Tensor, Tensor], Tensor]]] = [
    (L1, lambda target, prediction: (prediction - target).abs().mean(dim=1, keepdim=True)),
    (L2, lambda target, prediction: (prediction - target).square().mean(dim=1, keepdim=True)),
    (CrossEntropy, entropy),
]


@pytest.mark.parametrize(("loss", "each"), BY_HAND, ids=lambda given: getattr(given, "__name__", ""))
def test_a_pixelwise_loss_is_the_mean_over_the_pixels_that_count(loss, each):
    batch = one_hot(masked()) if loss is CrossEntropy else masked()
    prediction = drawn(2, 3, 32, 32, seed=2).requires_grad_()
    value = term(loss(), batch, prediction)
    torch.testing.assert_close(value, each(batch.target, prediction)[batch.mask].mean())
    value.backward()
    counted = batch.mask.expand_as(prediction)
    assert (prediction.grad[~counted] == 0).all()
    assert (prediction.grad[counted] != 0).all()


def test_a_loss_that_does_not_say_that_it_is_pixelwise_sees_both_sides_agree():
    batch, prediction = masked(), drawn(2, 3, 32, 32, seed=2).requires_grad_()
    value = term(ToyLoss(), batch, prediction)
    torch.testing.assert_close(value, term(L1(), batch, prediction) * batch.mask.float().mean())
    value.backward()
    assert (prediction.grad[~batch.mask.expand_as(prediction)] == 0).all()


class Given(Generator):
    """Gives the prediction that it has."""

    def __init__(self, prediction: Tensor) -> None:
        super().__init__()
        self.prediction = torch.nn.Parameter(prediction)

    def forward(self, condition: Tensor) -> Tensor:
        return self.prediction


LOSSES = {
    "adversarial": Adversarial(),
    "relativistic": Relativistic(),
    "features": FeatureMatching(),
    "penalty": GradientPenalty(),
    "r2": ZeroCenteredPenalty(images="prediction"),
    "l1": L1(),
}


def pix2pix(prediction: Tensor) -> Method:
    torch.manual_seed(0)
    networks = {
        "generator": Given(prediction),
        "discriminator": PatchGAN(
            condition_channels=3, image_channels=3, receptive_field=16, channels=4, norm="instance"
        ),
    }
    return Pix2Pix(networks, {label: WeightedLoss(loss, Weight(1.0)) for label, loss in LOSSES.items()})


def values(method: Method, batch: Batch) -> dict[str, Tensor]:
    shared = method.forward(batch)
    return {f"{p.name}/{name}": term.value for p in method.phases() for name, term in p.terms(batch, shared).items()}


def test_the_game_does_not_see_what_the_generator_gave_at_pixels_that_do_not_count():
    batch, prediction = masked(), drawn(2, 3, 32, 32, seed=2)
    other = torch.where(batch.mask, prediction, drawn(2, 3, 32, 32, seed=4))
    method = pix2pix(prediction)
    found = values(method, batch)
    assert len(found) == 4 + 4
    for name, value in values(pix2pix(other), batch).items():
        assert torch.equal(value, found[name]), name
    everywhere = values(pix2pix(other), batch._replace(mask=None))
    assert not any(torch.equal(value, found[name]) for name, value in everywhere.items())
    sum(value for name, value in found.items() if name.startswith("generator/")).backward()
    gradient = method.networks["generator"].prediction.grad
    counted = batch.mask.expand_as(gradient)
    assert (gradient[~counted] == 0).all()
    assert (gradient[counted] != 0).all()


def test_an_image_of_which_no_pixel_counts_changes_no_weight_of_the_generator():
    batch = masked()._replace(mask=torch.zeros(2, 1, 32, 32, dtype=torch.bool))
    method = pix2pix(drawn(2, 3, 32, 32, seed=2))
    before = method.networks["generator"].prediction.detach().clone()
    optimizers = {role: torch.optim.Adam(network.parameters()) for role, network in method.networks.items()}
    result = train_step(method, [batch], optimizers, with_norms=True)
    assert all(value.isfinite() for value in (*result.losses.values(), *result.gradient_norms.values()))
    assert result.losses["generator/l1"] == 0
    assert torch.equal(method.networks["generator"].prediction, before)


def test_the_discriminator_sees_the_target_in_place_of_what_does_not_count():
    batch, prediction = masked(), drawn(2, 3, 32, 32, seed=2)
    step = StepContext(batch, prediction, ToyDiscriminator())
    assert torch.equal(step.prediction, torch.where(batch.mask, prediction, batch.target))
    assert step.mask is batch.mask


# Metrics


def measured(metric: Metric, batch: Batch, prediction: Tensor) -> float:
    assert batch.mask is not None
    metric.update_masked(*batch.sides, batch.compared(prediction), batch.mask)
    return metric.compute()


def test_l1_and_psnr_are_those_of_the_pixels_that_count():
    batch, prediction = masked(), drawn(2, 3, 32, 32, seed=2)
    apart = (prediction - batch.target).double()
    each = [image[:, mask[0]] for image, mask in zip(apart, batch.mask, strict=True)]
    mean = sum(image.abs().mean().item() for image in each) / 2
    assert measured(l1.L1(), batch, prediction) == pytest.approx(mean, rel=1e-5)
    decibels = sum(10 * math.log10(4 / image.square().mean().item()) for image in each) / 2
    assert measured(psnr.PSNR(), batch, prediction) == pytest.approx(decibels, rel=1e-5)


def test_ssim_is_that_of_the_windows_around_pixels_that_count():
    """Of a corner that counts, what lies farther from it than a window reaches has no part in it."""
    target, prediction = drawn(1, 3, 32, 32, seed=1), drawn(1, 3, 32, 32, seed=2)
    mask = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    mask[..., :20, :20] = True
    batch = Batch(target, target, mask=mask)
    shown = torch.where(mask, prediction, target)
    by_hand = ssim.SSIM().compare(target, shown)[..., :20, :20].mean().item()
    assert measured(ssim.SSIM(), batch, prediction) == pytest.approx(by_hand, rel=1e-5)
    other = Batch(target, torch.where(torch.arange(32) < 25, target, 0), mask=mask)
    assert measured(ssim.SSIM(), other, prediction) == pytest.approx(by_hand, rel=1e-5)


def test_scores_of_classes_leave_out_pixels_that_do_not_count():
    batch = one_hot(masked())
    prediction = drawn(2, 3, 32, 32, seed=2)
    scores = SegmentationScores()
    scores.update_masked(*batch.sides, batch.compared(prediction), batch.mask)
    right = (prediction.argmax(dim=1) == batch.target.argmax(dim=1))[batch.mask[:, 0]]
    assert scores.compute()["pixel_accuracy"] == pytest.approx(right.float().mean().item())
    assert scores._confusion.counts.sum() == batch.mask.sum()
