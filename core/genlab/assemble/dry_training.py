"""Training steps on empty images, to count what they compute and what they keep in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim import SGD

from genlab.assemble.experiment import build_method, construct_losses
from genlab.assemble.networks import outline_networks, outlined
from genlab.assemble.recipe import Recipe
from genlab.config.document import Document
from genlab.data.device import CPU
from genlab.engine.optimizers import trained_networks
from genlab.engine.phases import step_batches
from genlab.engine.seeding import isolated_rng
from genlab.engine.step import StepSettings, train_step
from genlab.engine.step_kinds import mean_over_cycle, periods_of, step_kinds
from genlab.engine.train_state import modules_of
from genlab.engine.work import flops_of
from genlab.interfaces.batch import Batch
from genlab.interfaces.position import Draws, Position


class DryTraining:
    """Steps of a recipe's training on empty images, on the device on which it is constructed; no weight changes.

    Within `outlined` that is PyTorch's meta device: nothing is computed, and no tensor has storage.

    Args:
        recipe: what to train.
        channels: of condition and target.
        document: locates faults in the recipe.

    Raises:
        RecipeError: settings that a component rejects.
    """

    def __init__(self, recipe: Recipe, channels: tuple[int, int], document: Document) -> None:
        self.device = torch.get_default_device()
        # Losses may load weights, or open a run, which takes a device with values.
        with CPU:
            losses = construct_losses(recipe, document)
        networks, _ = outline_networks(recipe, channels, {}, document)
        for role, network in networks.items():
            if not recipe.roles[role].trained:
                network.requires_grad_(False).eval()
        self.method = build_method(recipe, networks, losses, channels, document)
        for module in self.modules():
            module.to(self.device)
        settings = recipe.settings
        (height, width), scale, count = settings.input.height_width, settings.input.scale, settings.train.batch_size
        condition = torch.zeros(count, channels[0], height, width)
        target = torch.zeros(count, channels[1], height * scale, width * scale)
        self._accumulate = settings.train.accumulate
        self._batch = Batch(condition, target, draws=Draws(settings.seed, tuple(range(count))))

    @property
    def kinds(self) -> Counter[int]:
        """Numbers of steps of each kind in a whole cycle, by the number of the kind's first step."""
        return step_kinds(periods_of(self.method))

    def make_plain(self) -> None:
        """Let networks compute by PyTorch's own layers."""
        for network in self.method.networks.values():
            network.make_plain()

    def tensors(self) -> Iterator[Tensor]:
        """All that there is before a step: weights and buffers of networks and losses, and a batch."""
        for module in self.modules():
            yield from module.parameters()
            yield from module.buffers()
        yield from self._batch.sides

    def take_step(self, number: int) -> None:
        """Take the step of that number, counted from 1."""
        position = Position(number - 1, number)
        count = self._accumulate * step_batches(self.method.phases(), position)
        first = self._batch._replace(position=position)
        batches = [first, *(_copied(first) for _ in range(1, count))]
        networks = trained_networks(self.method)
        # An optimizer without state or matrix products, which runs on any device.
        optimizers = {role: SGD(network.parameters(), lr=0.0) for role, network in networks.items()}
        # What a method makes on a CPU for itself has values there, too.
        with CPU, isolated_rng(CPU):
            self.method.begin(position)
            train_step(self.method, batches, optimizers, False, StepSettings(accumulate=self._accumulate))

    def modules(self) -> list[nn.Module]:
        """The networks and the losses."""
        return modules_of(self.method)


def _copied(batch: Batch) -> Batch:
    """A batch with memory of its own, as another one has."""
    return batch._replace(condition=torch.zeros_like(batch.condition), target=torch.zeros_like(batch.target))


def count_step_flops(recipe: Recipe, channels: tuple[int, int], document: Document) -> float:
    """Floating-point operations of a training step, of matrix products and convolutions in their plain form.

    They are the mean over a whole cycle, if phases or objectives take part in some steps only. Where a component
    computes with values, the steps are taken on the CPU.

    Args:
        recipe: what to train.
        channels: of condition and target.
        document: locates faults in the recipe.
    """

    def count() -> float:
        training = DryTraining(recipe, channels, document)
        training.make_plain()
        return mean_over_cycle(training.kinds, lambda number: flops_of(lambda: training.take_step(number)))

    return outlined(count)
