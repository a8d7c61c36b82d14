"""Brownian bridges between two images."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

Image = Float[Tensor, "n d h w"]
Time = Float[Tensor, " n"]


class BrownianBridge(NamedTuple):
    """Random paths with both ends fixed.

    At time t, from 0 to 1, a path from x0 to x1 is at (1 - t) x0 + t x1 + noise sqrt(t (1 - t)) z, with z from N(0, 1)
    (Li et al. 2023, arXiv 2205.07680, section 3; Liu et al. 2023, arXiv 2302.05872, proposition 3.3, for a constant
    beta).

    Args:
        start: x0.
        end: x1.
        noise: standard deviation of the Brownian motion at t = 1; half as much in the middle of the bridge.
    """

    start: Image
    end: Image
    noise: float

    def at(self, time: Time, normal: Image) -> Image:
        """Point of a path at the time t of each image, for its z."""
        t = _spread(time)
        return self._mean(t) + self._deviation(t) * normal

    def normal_of(self, point: Image, time: Time) -> Image:
        """The z of the path that is at a point at the time t of each image, between 0 and 1."""
        t = _spread(time)
        return (point - self._mean(t)) / self._deviation(t)

    def _mean(self, t: Tensor) -> Tensor:
        return (1 - t) * self.start + t * self.end

    def _deviation(self, t: Tensor) -> Tensor:
        return self.noise * (t * (1 - t)).sqrt()


def _spread(time: Time) -> Float[Tensor, "n 1 1 1"]:
    return time[:, None, None, None]
