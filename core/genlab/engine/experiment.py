"""The experiment: everything that a training needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch.optim import Optimizer

from genlab.config.schema import Settings
from genlab.data.augment import AugmentationStep
from genlab.data.batches import Batches
from genlab.data.check import Selection
from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.data.read_ahead import ReadAhead
from genlab.engine.phases import batches_before, most_batches
from genlab.engine.processes import Processes
from genlab.interfaces.listener import Listener
from genlab.interfaces.method import Method
from genlab.interfaces.metric import Metric
from genlab.interfaces.network import Network
from genlab.interfaces.schedule import Schedule
from genlab.util.bounded import MIB


@dataclass(frozen=True)
class Experiment:
    """Input of `engine.loop.train`.

    Args:
        settings: the framework's tables.
        method: the method, with its networks and losses in place.
        optimizers: of the trained networks, by role.
        schedules: of the optimizers' learning rates, by role.
        training: the training pairs, at the size that the first augmentation takes.
        augmentations: of training batches.
        validation: the validation pairs, at the size that the networks see.
        unaugmented: the training pairs at that size, for the gap between training and validation.
        metrics: by the recipe's label.
        listeners: by the recipe's label.
        device: where the networks are.
        run_id: id of the run, which its checkpoints have, too.
        clips: the greatest norms of gradients, of the roles that have one.
        names: the networks' components and plugins by role, for errors.
        processes: those that train it, each with its part of every batch.
    """

    settings: Settings
    method: Method
    optimizers: Mapping[str, Optimizer]
    schedules: Mapping[str, Schedule]
    training: PreparedPairs
    augmentations: Sequence[AugmentationStep]
    validation: PreparedPairs
    unaugmented: PreparedPairs
    metrics: Mapping[str, Metric]
    listeners: Sequence[tuple[str, Listener]]
    device: torch.device
    run_id: str = ""
    clips: Mapping[str, float] = field(default_factory=dict[str, float])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    processes: Processes = field(default_factory=Processes)

    @property
    def batches(self) -> Batches:
        """The sequence of training batches, of which this process has its part."""
        settings, processes = self.settings, self.processes
        batch_size, in_pairs = settings.train.batch_size, self.method.needs_pairs
        step = settings.train.pairs_per_step // processes.size * most_batches(self.method.phases())
        ahead = ReadAhead(settings.train.readers, settings.train.read_ahead * MIB, least=step)
        return Batches(
            self.training,
            self.augmentations,
            settings.seed,
            batch_size,
            in_pairs=in_pairs,
            ahead=ahead,
            part=(processes.rank, processes.size),
        )

    def batches_before(self, step: int) -> int:
        """Number of batches that all steps before this one take."""
        return self.settings.train.accumulate * batches_before(self.method.phases(), step)

    def reads(self, step: int) -> list[Selection]:
        """The pairs that are read from a step on to the end."""
        evaluate = self.settings.evaluate
        measured = min(evaluate.pairs, len(self.validation))
        shown = evenly_spaced(len(self.validation), evaluate.preview_pairs)
        validated = evenly_spaced(len(self.validation), measured)
        return [
            Selection(
                self.training, *self.batches.indices(*map(self.batches_before, (step, self.settings.train.steps)))
            ),
            Selection.of_pairs(self.validation, sorted({*shown, *validated})),
            Selection.of_pairs(self.unaugmented, evenly_spaced(len(self.unaugmented), measured)),
        ]

    @property
    def networks(self) -> Mapping[str, Network]:
        """Networks by role, on `device`."""
        return self.method.networks
