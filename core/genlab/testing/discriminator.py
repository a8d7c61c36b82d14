"""What every discriminator must do."""

from __future__ import annotations

from typing import cast
from unittest import SkipTest

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.instancenorm import _InstanceNorm  # pyright: ignore[reportPrivateUsage]

from genlab.interfaces.network import Discriminator, Network
from genlab.testing.examples import images
from genlab.testing.network import Inputs, NetworkSuite
from genlab.testing.suite import require

_USUAL = 32
_LARGEST = 1024


class DiscriminatorSuite(NetworkSuite):
    """A discriminator's part of the contract."""

    kind = "discriminator"

    def supplied(self, channels: tuple[int, int]) -> dict[str, int]:
        return dict(zip(("condition_channels", "image_channels"), channels, strict=True))

    def discriminator(self) -> Discriminator:
        network = self.network()
        assert isinstance(network, Discriminator)
        return network

    def example(self, network: Network, seed: int = 0, count: int = 2) -> Inputs:
        size = self.size(network)
        return images(count, 3, size, size, seed), images(count, 3, size, size, seed + 1)

    def size(self, network: Network) -> int:
        """A usual size that the discriminator takes, and a dozen scores."""
        assert isinstance(network, Discriminator)
        return max(_USUAL, 2 * network.least_size)

    def test_it_gives_scores(self) -> None:
        """A map of scores for each image, one channel, whatever the batch, the channels, and the height and width."""
        for channels in self.channels:
            network = self.network(channels).eval()
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

    def test_it_looks_at_the_image(self) -> None:
        """The image makes a difference to the scores, so that a generator can learn from them."""
        network = self.discriminator().eval()
        condition, image = self.example(network)
        (gradient,) = torch.autograd.grad(network(condition, image.requires_grad_()).sum(), image)
        require(gradient.any(), "its scores do not depend on the image")

    def test_it_trains_on_a_single_image(self) -> None:
        """At batch 1, the usual for pix2pix."""
        network = self.discriminator().train()
        scores = network(*self.example(network, count=1))
        require(scores.isfinite().all(), "in training, its scores for one image are not finite")

    def test_its_receptive_field_is_the_stated_one(self) -> None:
        """The square that one score sees is measured by gradients, without what a norm gathers from a whole image."""
        network = self.discriminator()
        stated = cast(object, network.receptive_field)
        if not (isinstance(stated, int) and stated >= 1):
            raise AssertionError(f"its receptive_field is {stated!r}, and it is a whole number of pixels")
        size = 2 * max(stated, network.least_size) + 32
        if size > _LARGEST:
            raise SkipTest(f"a receptive field of {stated} is too large to be measured here")
        height, width = measured_field(network, size)
        given = f"{height}" if height == width else f"{height} x {width}"
        require((height, width) == (stated, stated), f"a score sees {given} pixels, and it states {stated}")

    def test_its_least_size_is_the_stated_one(self) -> None:
        """An image of the least size gives a score, and one of a pixel less gives none."""
        network = self.discriminator().eval()
        least = cast(object, network.least_size)
        if not (isinstance(least, int) and least >= 1):
            raise AssertionError(f"its least_size is {least!r}, and it is a whole number of pixels")
        require(_scores(network, least), f"an image of its least size, {least}, gives no score")
        require(least == 1 or not _scores(network, least - 1), f"an image of {least - 1} gives a score too")


def _scores(network: Network, size: int) -> bool:
    """Whether an image of that size gives a score."""
    image = images(1, 3, size, size)
    try:
        with torch.no_grad():
            return network(image, image).numel() > 0
    except Exception:  # noqa: BLE001  (a network may refuse a size by any exception)
        return False


def measured_field(network: Network, size: int) -> tuple[int, int]:
    """Height and width of what the score in the middle of an image depends on, for positive weights.

    Norms by an image's own statistics pass on their input here: by them, each score sees the whole image. Pooling takes
    the mean, where the maximum would hide all but one pixel.
    """
    network.eval()
    _make_positive(network)
    for module in network.modules():
        if isinstance(module, _InstanceNorm | nn.GroupNorm | nn.LayerNorm):
            module.register_forward_hook(lambda _module, given, _output: given[0])
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_hook(_averaged)
    image = images(1, 3, size, size).abs().requires_grad_()
    scores = network(image.detach(), image)
    middle = [side // 2 for side in scores.shape[-2:]]
    (gradient,) = torch.autograd.grad(scores[0, 0, middle[0], middle[1]], image)
    seen = gradient.abs().sum(dim=(0, 1)) > 0
    return _extent(seen.any(dim=1)), _extent(seen.any(dim=0))


def _averaged(module: nn.Module, given: tuple[Tensor, ...], _output: Tensor) -> Tensor:
    assert isinstance(module, nn.MaxPool2d)
    return F.avg_pool2d(given[0], module.kernel_size, module.stride, module.padding, module.ceil_mode)


def _make_positive(network: Network) -> None:
    """Weights by which every pixel that a score sees adds to it, and none takes away."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1:
                parameter.fill_(1 / parameter[0].numel())
            else:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)


def _extent(seen: Tensor) -> int:
    places = seen.nonzero()
    return int(places.max() - places.min() + 1) if len(places) else 0
