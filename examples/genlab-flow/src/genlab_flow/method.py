"""Conditional flow matching, with an average of weights to sample with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Lt
from genlab import (
    Batch,
    Method,
    Network,
    Outputs,
    Phase,
    Position,
    Role,
    StepContext,
    Terms,
    WeightedLoss,
    generator_terms,
)
from torch import Tensor

VELOCITY = Role("generator", reads=("condition", "target"), gives="target", inputs=("time",))


class Flow(Method):
    """Targets from noise, along straight lines, given the condition (Lipman et al. 2023, arXiv 2210.02747).

    At a time from 0 to 1 the generator sees the condition and a mixture of noise and target, and predicts the velocity
    from the one to the other (equation 23 with a least deviation of 0). A loss of the recipe compares velocities: `l2`
    is the paper's.

    A prediction starts with noise and follows the velocities in equal steps. They are those of the role `average`, a
    running average of the generator's weights.

    Args:
        sampling_steps: how many steps a prediction takes; each is a forward pass.
        decay: the share of the average that an update keeps; at first less, as there is little to average.
    """

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": VELOCITY,
        "average": replace(VELOCITY, like="generator", trained=False),
    }
    follows_masks: ClassVar[bool] = True

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        channels: Mapping[str, int],
        *,
        sampling_steps: Annotated[int, Ge(1)] = 10,
        decay: Annotated[float, Ge(0), Lt(1)] = 0.999,
    ) -> None:
        super().__init__(networks, losses)
        self.target_channels = channels["target"]
        self.sampling_steps = sampling_steps
        self.decay = decay
        self.position = Position()

    def begin(self, position: Position) -> None:
        self.position = position

    def forward(self, batch: Batch) -> Outputs:
        noise = batch.draws.normal("noise", batch.target)
        time = batch.draws.uniform("time", batch.target)
        mixture = torch.lerp(noise, batch.target, time[:, None, None, None])
        seen = torch.cat([batch.condition, mixture], dim=1)
        return {"velocity": self.networks["generator"](seen, time=time), "true": batch.target - noise}

    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self._terms)]

    def _terms(self, batch: Batch, outputs: Outputs) -> Terms:
        velocities = batch._replace(target=outputs["true"])
        return generator_terms(self.losses, StepContext(velocities, outputs["velocity"]))

    def updated(self, roles: Sequence[str]) -> None:  # noqa: ARG002  (there is one phase)
        """Move the average towards the generator."""
        done = self.position.step
        decay = min(self.decay, (1 + done) / (10 + done))
        average, generator = self.networks["average"], self.networks["generator"]
        for mean, new in zip(average.parameters(), generator.parameters(), strict=True):
            mean.lerp_(new, 1 - decay)
        for mean, new in zip(average.buffers(), generator.buffers(), strict=True):
            mean.copy_(new)

    def predict(self, condition: Tensor) -> Tensor:
        image = torch.randn_like(condition[:, :1].expand(-1, self.target_channels, -1, -1))
        for step in range(self.sampling_steps):
            time = torch.full_like(image[:, 0, 0, 0], step / self.sampling_steps)
            velocity = self.networks["average"](torch.cat([condition, image], dim=1), time=time)
            image = image + velocity / self.sampling_steps
        return image.clamp(-1, 1)
