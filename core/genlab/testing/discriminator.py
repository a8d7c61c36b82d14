"""Conformance tests of discriminators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from unittest import SkipTest

import torch
from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]
from typing_extensions import override

from genlab.interfaces.network import Discriminator, Network, Scored, as_scored
from genlab.testing.examples import images
from genlab.testing.field import measured_field
from genlab.testing.network import Inputs
from genlab.testing.probing import has_gradient, require_close, stir
from genlab.testing.suite import ConformanceError, drawing, require
from genlab.testing.two_sided import TwoSidedSuite
from genlab.util.exceptions import summarize

_USUAL = 32
_LARGEST = 1024
_NAMES = {"maps": "scores", "features": "features"}


class DiscriminatorSuite(TwoSidedSuite):
    """A discriminator's part of the contract."""

    kind = "discriminator"
    sides: ClassVar[tuple[str, str]] = ("condition_channels", "image_channels")
    channels: ClassVar[Sequence[tuple[int, int]]] = (*TwoSidedSuite.channels, (0, 3))

    def discriminator(self) -> Discriminator:
        """A new discriminator with the suite's settings."""
        network = self.network()
        assert isinstance(network, Discriminator)
        return network

    @override
    def example(self, network: Network, seed: int = 0, count: int = 2) -> Inputs:
        size = self.size(network)
        return images(count, 3, size, size, seed), images(count, 3, size, size, seed + 1)

    def size(self, network: Network) -> int:
        """A usual size that the discriminator takes, and a dozen scores."""
        assert isinstance(network, Discriminator)
        return max(_USUAL, 2 * network.min_size)

    @override
    def call(self, network: Network, *inputs: Tensor) -> Sequence[Tensor]:
        """Its maps of scores."""
        return as_scored(network(*inputs)).maps

    def test_it_gives_scores(self) -> None:
        """A map of scores for each image, or several; one channel, whatever the batch, channels, height and width."""
        for channels, network in self.of_channels():
            size = self.size(network)
            for count, height, width in ((1, size, size), (2, size, size + 8)):
                pair = [images(count, number, height, width) for number in channels]
                with torch.no_grad():
                    given = _shapes(network(*pair))
                right = isinstance(given, list) and given and all(len(s) == 4 and s[:2] == (count, 1) for s in given)
                shown = ", ".join(map(str, given)) if isinstance(given, list) else given
                what = f"for {count} images of {height} x {width} it gives {shown or 'no map'}"
                require(right, f"{what}; expected scores (n, 1, i, j), or a genlab.Scored of several maps")

    def test_scores_have_no_bounds(self) -> None:
        """They are taken before any sigmoid, which is a loss's part: so they are not all between 0 and 1."""
        network = self.network().eval()
        inputs = self.example(network)
        for seed in range(5):
            stir(network, 0.3, seed)
            with torch.no_grad():
                if all(scores.min() < 0 or scores.max() > 1 for scores in self.call(network, *inputs)):
                    return
        raise ConformanceError("its scores are between 0 and 1, and scores are taken before any sigmoid")

    def test_it_looks_at_the_image(self) -> None:
        """The image makes a difference to all scores and features, so that a generator can learn from them."""
        network = self.discriminator().eval()
        condition, image = self.example(network)
        scored = as_scored(network(condition, image.requires_grad_()))
        for name, tensors in scored._asdict().items():
            for number, tensor in enumerate(tensors, start=1):
                which = f" (number {number})" if len(tensors) > 1 else ""
                require(has_gradient(tensor, [image]), f"its {_NAMES[name]}{which} do not depend on the image")

    def test_it_trains_on_a_single_image(self) -> None:
        """At batch 1, the usual for pix2pix."""
        network = self.discriminator().train()
        scores = self.result(network, *self.example(network, count=1))
        require(scores.isfinite().all(), "in training, its scores for one image are not finite")

    def test_it_scores_each_of_several_images(self) -> None:
        """In training, as a call for each would: scores, gradients and buffers are the same, but for dropout."""
        alone, together = self.discriminator(), self.discriminator()
        condition, first = self.example(alone)
        # Of other contrasts, which a norm over all would show.
        given = (first, self.example(alone, seed=2)[1] / 2, self.example(alone, seed=4)[1] / 4)
        for network in (alone, together):
            stir(network, 0.3)
            for module in network.modules():
                module.train(not isinstance(module, _DropoutNd))
        with drawing(5):
            expected = [_numbers(as_scored(alone(condition, image))) for image in given]
        with drawing(5):
            scores = [_numbers(as_scored(scored)) for scored in together.score_each(condition, given)]
        require(len(scores) == len(given), f"score_each is given {len(given)} images and gives {len(scores)} scores")
        for found, right in zip(scores, expected, strict=True):
            what = "in score_each an image has other scores than alone (are they in order, and batches normed apart?)"
            require(found.shape == right.shape, "in score_each an image has other maps or features than alone")
            require_close(found, right, 1e-4, what)
            require(found.requires_grad, "the scores of score_each have no gradients")
        gradients = _gradients(together, scores), _gradients(alone, expected)
        require_close(*gradients, 1e-4, "the scores of score_each have other gradients than those of calls for each")
        for name, buffer in alone.named_buffers():
            what = f"score_each leaves another `{name}` than calls for each"
            require_close(together.get_buffer(name).float(), buffer.float(), 1e-4, what)
        require(len(together.score_each(condition, [first])) == 1, "score_each gives more than one image has scores")

    @override
    def test_its_features_are_the_stated_ones(self) -> None:
        """Those of its `Scored` have the channels of `feature_channels`, by which a recipe is checked."""
        super().test_its_features_are_the_stated_ones()
        network = self.discriminator().eval()
        with torch.no_grad():
            features = as_scored(network(*self.example(network))).features
        given, stated = [feature.shape[1] for feature in features], list(network.feature_channels)
        require(given == stated, f"its features have {given} channels, and its feature_channels are {stated}")

    def test_penalties_on_gradients_have_gradients(self) -> None:
        """As R1 and WGAN-GP need: those of the size of its gradient are what finite differences give."""
        network = self.discriminator().eval().double()
        stir(network, 0.3)
        condition, image = (tensor.double() for tensor in self.example(network))
        weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
        penalty = _penalty(network, condition, image)
        require(penalty.requires_grad, "the gradient of its scores by the image has no gradient by its weights")
        given = torch.autograd.grad(penalty, weights, materialize_grads=True)
        slope, size = _norm(given), _norm(weights)
        require(slope > 0, "the gradient of its scores by the image has no gradient by its weights")
        step = 1e-8 * size  # so small that hardly an activation changes its sign
        sides: list[Tensor] = []
        for change in (step, -2 * step):
            with torch.no_grad():
                for weight, part in zip(weights, given, strict=True):
                    weight.add_(part / slope, alpha=change)
            sides.append(_penalty(network, condition, image).detach())
        found = (sides[0] - sides[1]) / (2 * step)
        what = f"a penalty on its gradient changes by {found:.3g} where its gradient by the weights is {slope:.3g}"
        require((found - slope).abs() <= 0.01 * slope, f"{what}: a gradient of its own is wrong, or detached")

    def test_its_receptive_field_is_the_stated_one(self) -> None:
        """The square that one score sees is measured by gradients, without what a norm gathers from a whole image."""
        network = self.discriminator()
        stated: object = getattr(network, "receptive_field", None)
        if not (isinstance(stated, int) and stated >= 1):
            raise ConformanceError(f"its receptive_field is {stated!r}; expected an integer number of pixels")
        if not network.is_local:
            return
        size = 2 * max(stated, network.min_size) + 32
        if size > _LARGEST:
            raise SkipTest(f"a receptive field of {stated} is too large to be measured here")
        height, width = measured_field(network, images(1, 3, size, size).abs())
        given = f"{height}" if height == width else f"{height} x {width}"
        require((height, width) == (stated, stated), f"a score sees {given} pixels, but it states {stated}")

    def test_its_least_size_is_the_stated_one(self) -> None:
        """An image of the least size gives a score, and one of a pixel less gives none, or none in training."""
        network = self.discriminator()
        least: object = getattr(network, "min_size", None)
        if not (isinstance(least, int) and least >= 1):
            raise ConformanceError(f"its min_size is {least!r}; expected an integer number of pixels")
        refusal = _refusal(network.eval(), least)
        require(not refusal, f"an image of its least size, {least}, gives no score: {refusal}")
        too_small = least == 1 or _refusal(network.train(), least - 1)
        require(too_small, f"its least size is {least}, and an image of {least - 1} gives a score too")


def _gradients(network: Network, scores: Sequence[Tensor]) -> Tensor:
    """Gradients of all weights, as one vector, for an objective that weighs each map of scores differently."""
    objective = torch.stack([number * given.square().mean() for number, given in enumerate(scores, start=1)]).sum()
    weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(objective, weights, materialize_grads=True)
    return torch.cat([gradient.flatten() for gradient in gradients])


def _penalty(network: Network, condition: Tensor, image: Tensor) -> Tensor:
    """Squared size of a gradient of the scores by the image: of a sum that no norm of the scores makes constant."""
    image = image.detach().requires_grad_()
    scores = torch.cat([scores.flatten() for scores in as_scored(network(condition, image)).maps])
    weighted = scores * torch.linspace(1, 2, len(scores), dtype=scores.dtype)
    (gradient,) = torch.autograd.grad(weighted.sum(), image, create_graph=True, materialize_grads=True)
    return gradient.square().sum()


def _norm(tensors: Sequence[Tensor]) -> float:
    return torch.stack([tensor.detach().square().sum() for tensor in tensors]).sum().sqrt().item()


def _shapes(output: object) -> list[tuple[int, ...]] | str:
    """Shapes of all maps of scores, or the type of what else a network gives."""
    if isinstance(output, Tensor | Scored):
        return [tuple(scores.shape) for scores in as_scored(output).maps]
    return type(output).__name__


def _numbers(scored: Scored) -> Tensor:
    """All scores and features, one after the other."""
    return torch.cat([tensor.flatten() for tensor in (*scored.maps, *scored.features)])


def _refusal(network: Network, size: int) -> str:
    """Reason for which an image of that size gives no score; nothing if it gives one."""
    image = images(1, 3, size, size)
    try:
        with torch.no_grad():
            maps = as_scored(network(image, image)).maps
        return "" if all(scores.numel() > 0 for scores in maps) else "there are none in its map"
    except Exception as error:  # noqa: BLE001  (a network may refuse a size by any exception)
        return summarize(error)
