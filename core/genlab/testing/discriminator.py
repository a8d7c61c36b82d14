"""Conformance tests of discriminators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from unittest import SkipTest

import torch
from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]
from typing_extensions import override

from genlab.interfaces.network import Discriminator, Network
from genlab.testing.examples import images
from genlab.testing.field import measured_field
from genlab.testing.network import Inputs, NetworkSuite, require_close, stir
from genlab.testing.suite import ConformanceError, drawing, require
from genlab.util.exceptions import summarize

_USUAL = 32
_LARGEST = 1024


class DiscriminatorSuite(NetworkSuite):
    """A discriminator's part of the contract.

    Set `is_local = False` for one whose scores depend on the whole image, such as through attention or its own norm.
    """

    kind = "discriminator"
    is_local: ClassVar[bool] = True

    @override
    def supplied(self, channels: tuple[int, int]) -> dict[str, int]:
        return dict(zip(("condition_channels", "image_channels"), channels, strict=True))

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

    def test_it_gives_scores(self) -> None:
        """A map of scores for each image, one channel, whatever the batch, the channels, and the height and width."""
        for channels, network in self.of_channels():
            size = self.size(network)
            for count, height, width in ((1, size, size), (2, size, size + 8)):
                pair = [images(count, number, height, width) for number in channels]
                with torch.no_grad():
                    scores: object = network(*pair)
                given = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
                right = len(given) == 4 and given[:2] == (count, 1)
                require(
                    right, f"for {count} images of {height} x {width} it gives {given}, and scores are (n, 1, i, j)"
                )

    def test_scores_have_no_bounds(self) -> None:
        """They are taken before any sigmoid, which is a loss's part: so they are not all between 0 and 1."""
        network = self.network().eval()
        inputs = self.example(network)
        for seed in range(5):
            stir(network, 0.3, seed)
            with torch.no_grad():
                scores = network(*inputs)
            if scores.min() < 0 or scores.max() > 1:
                return
        raise ConformanceError("its scores are between 0 and 1, and scores are taken before any sigmoid")

    def test_it_looks_at_the_image(self) -> None:
        """The image makes a difference to the scores, so that a generator can learn from them."""
        network = self.discriminator().eval()
        condition, image = self.example(network)
        scores = network(condition, image.requires_grad_())
        (gradient,) = torch.autograd.grad(scores.sum(), image, materialize_grads=True)
        require(gradient.any(), "its scores do not depend on the image")

    def test_it_trains_on_a_single_image(self) -> None:
        """At batch 1, the usual for pix2pix."""
        network = self.discriminator().train()
        scores = network(*self.example(network, count=1))
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
            expected = [alone(condition, image) for image in given]
        with drawing(5):
            scores = together.score_each(condition, given)
        require(len(scores) == len(given), f"score_each is given {len(given)} images and gives {len(scores)} scores")
        for found, right in zip(scores, expected, strict=True):
            what = "in score_each an image has other scores than alone (are they in order, and batches normed apart?)"
            require_close(found, right, 1e-4, what)
            require(found.requires_grad, "the scores of score_each have no gradients")
        gradients = _gradients(together, scores), _gradients(alone, expected)
        require_close(*gradients, 1e-4, "the scores of score_each have other gradients than those of calls for each")
        for name, buffer in alone.named_buffers():
            what = f"score_each leaves another `{name}` than calls for each"
            require_close(together.get_buffer(name).float(), buffer.float(), 1e-4, what)
        require(len(together.score_each(condition, [first])) == 1, "score_each gives other than one map for one image")

    def test_its_receptive_field_is_the_stated_one(self) -> None:
        """The square that one score sees is measured by gradients, without what a norm gathers from a whole image."""
        network = self.discriminator()
        stated: object = getattr(network, "receptive_field", None)
        if not (isinstance(stated, int) and stated >= 1):
            raise ConformanceError(f"its receptive_field is {stated!r}; expected an integer number of pixels")
        if not self.is_local:
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


def _refusal(network: Network, size: int) -> str:
    """Reason for which an image of that size gives no score; nothing if it gives one."""
    image = images(1, 3, size, size)
    try:
        with torch.no_grad():
            return "" if network(image, image).numel() > 0 else "there are none in its map"
    except Exception as error:  # noqa: BLE001  (a network may refuse a size by any exception)
        return summarize(error)
