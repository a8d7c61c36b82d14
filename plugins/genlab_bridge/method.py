"""Bridge matching: sample a target by a random path that starts at the condition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import (
    Batch,
    Method,
    Network,
    Outputs,
    Phase,
    Role,
    StepContext,
    Terms,
    WeightedLoss,
    generator_terms,
)
from genlab_bridge.brownian import BrownianBridge


class Bridge(Method):
    """A Brownian bridge from condition to target, whose samples are one of several valid answers.

    The generator sees the condition x0 and a point of the bridge, x_t = (1 - t) x0 + t x1 + noise sqrt(t (1 - t)) z,
    and estimates the target x1: the bridge of BBDM (Li et al. 2023, arXiv 2205.07680, section 3), whose network sees
    the point alone, and predicts the difference from the target. Given the condition beside the
    point, it learns E[x1 | x0, x_t], with which the bridge ends at pairs like those of the data, and not only at
    plausible targets (De Bortoli et al. 2023, arXiv 2311.06978). The losses compare its estimate with the target; that
    mean is what a squared difference (`l2`) teaches.

    A sample begins at the condition, and each step goes to the later point of the path that leads from here to the
    estimate. Its z is drawn once, in the first step, and then follows from point and estimate (DBIM with eta = 0;
    Zheng et al. 2024, arXiv 2405.15885, section 3): a few steps keep more of the variance of the answers than a random
    walk does. In both, t is sin^2(pi/2 s) for even s, which is the time that the generator is given: steps are short
    at the start, where the answer is chosen, and at the end, where details come.

    Where the sides have different numbers of channels, the bridge begins at the mean of the condition's, in each.

    Args:
        noise: of the Brownian motion; in the middle of the bridge the standard deviation is half of it. Images have
            values in [-1, 1].
        sampling_steps: calls of the generator for a prediction.

    Raises:
        ValueError: if there is no loss.
    """

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": Role("generator", reads=("condition", "target"), gives="target", inputs=("time",))
    }
    follows_masks: ClassVar[bool] = True

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        channels: Mapping[str, int],
        *,
        noise: Annotated[float, Gt(0)] = 1.0,
        sampling_steps: Annotated[int, Ge(1), Le(1000)] = 10,
    ) -> None:
        super().__init__(networks, losses)
        if not losses:
            raise ValueError("at least one loss needs a weight above 0")
        self.channels = channels["target"]
        self.noise = noise
        self.sampling_steps = sampling_steps

    @override
    def forward(self, batch: Batch) -> Outputs:
        time = batch.draws.uniform("time", batch.target)
        normal = batch.draws.normal("bridge", batch.target)
        bridge = BrownianBridge(self._start(batch.condition), batch.target, self.noise)
        point = bridge.at(_share(time), normal)
        return {"prediction": self._estimate(batch.condition, point, time)}

    @override
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        start = point = self._start(condition)
        # Drawn on the CPU, so that a seed gives the same on any device.
        normal = torch.randn(start.shape).to(start)
        times = torch.linspace(0, 1, self.sampling_steps + 1).to(start).expand(len(start), -1)
        for now, later in pairwise(times.unbind(dim=1)):
            bridge = BrownianBridge(start, self._estimate(condition, point, now), self.noise)
            if point is not start:
                normal = bridge.normal_of(point, _share(now))
            point = bridge.at(_share(later), normal)
        return point.clamp(-1, 1)

    @override
    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self._terms)]

    def _terms(self, batch: Batch, outputs: Outputs) -> Terms:
        return generator_terms(self.losses, StepContext(batch, outputs["prediction"]))

    def _start(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Start of the bridge: the condition, or the mean of its channels where the target has not as many."""
        if condition.shape[1] == self.channels:
            return condition
        return condition.mean(dim=1, keepdim=True).expand(-1, self.channels, -1, -1)

    def _estimate(
        self, condition: Float[Tensor, "n c h w"], point: Float[Tensor, "n d h w"], time: Float[Tensor, " n"]
    ) -> Float[Tensor, "n d h w"]:
        """The target, as the generator estimates it from a point of the bridge."""
        return self.networks["generator"](torch.cat([condition, point], dim=1), time=time)


def _share(time: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Share of the bridge, t, at the time that the generator is given."""
    return (time * (math.pi / 2)).sin().square()
