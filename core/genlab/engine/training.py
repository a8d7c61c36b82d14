"""State of a training, and the actions of each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from genlab.config.validate import dotted
from genlab.engine.best import after_validation, best_so_far, out_of_patience
from genlab.engine.checkpoint import restore, save
from genlab.engine.checkpoint_state import IntactCheckpoint, TrainProgress
from genlab.engine.compilation import compile_networks, next_step
from genlab.engine.data_stall import DataStallMonitor
from genlab.engine.divergence import not_finite
from genlab.engine.equality import require_equal_state
from genlab.engine.experiment import Experiment
from genlab.engine.first_outputs import first_outputs_checked
from genlab.engine.inference import Predictor
from genlab.engine.listener_list import ListenerList
from genlab.engine.optimizer_state import state_tensors
from genlab.engine.optimizers import rates, set_rates
from genlab.engine.phases import step_batches
from genlab.engine.precision import Precision
from genlab.engine.requests import Requests, require_request
from genlab.engine.runtime import cpu_threads, keep_freed_memory, tf32_and_autotune
from genlab.engine.seeding import derived_seed, isolated_rng, seed_random_numbers
from genlab.engine.step import StepResult, StepSettings, measure_norms, train_step
from genlab.engine.synchronized_norm import synchronized_norms
from genlab.engine.timing import StepTimer, due
from genlab.engine.train_state import TrainState, modules_of
from genlab.engine.validation import Interrupted, preview, validate
from genlab.engine.weight_average import make_average
from genlab.errors import DataError, TrainingError
from genlab.interfaces.batch import Batch
from genlab.interfaces.listener import CheckpointSaved, EarlyEnd, Previewed, Step, StepMetrics, Validated
from genlab.interfaces.network import Network
from genlab.interfaces.position import Position


class Training:
    """State of the loop, advanced one step at a time.

    Args:
        experiment: what to train.
        checkpoint: the checkpoint to resume from; None for a new training.
        folder: where to save checkpoints.
        listeners: the listeners.
        stopping: returns True once a signal asked to stop.
    """

    def __init__(
        self,
        experiment: Experiment,
        checkpoint: IntactCheckpoint | None,
        folder: Path,
        listeners: ListenerList,
        stopping: Callable[[], bool],
    ) -> None:
        settings = experiment.settings
        self.experiment = experiment
        self.folder = folder
        self.listeners = listeners
        self._stopping = stopping
        self._is_stopped = False
        self.processes = experiment.processes
        self.optimizers = experiment.optimizers
        self.processes.copy_first(
            tensor for module in modules_of(experiment.method) for tensor in (*module.parameters(), *module.buffers())
        )
        average = make_average(experiment.method, settings)
        self.state = TrainState(experiment.method, self.optimizers, average)
        self.infinite = frozenset(not_finite(self.state))
        self.precision = Precision(settings.train.chosen_precision, experiment.device)
        first = restore(checkpoint, self.state) if checkpoint else TrainProgress()
        self.precision.load_state(first.loss_scale)
        self.step_settings = StepSettings(self.precision, experiment.clips, settings.train.accumulate, self.processes)
        self.step, self.metrics = first.step, first.metrics
        self.validated, self.previewed = first.validated, first.previewed
        self.best = best_so_far(settings.checkpoint.best, first.best)
        self.requests = Requests(first.stop)
        self.saved = self.step if checkpoint else None
        self.predictor = Predictor(experiment.method, settings.inference, average if settings.averaged else None)
        self.timer = StepTimer(settings.train.batch_size)
        self.data_stall = DataStallMonitor()

    def batches(self) -> Generator[Batch, None, None]:
        """The batches from here on."""
        return self.experiment.batches.starting_at(self.experiment.batches_before(self.step))

    @contextmanager
    def ready(self) -> Generator[Iterator[Batch], None, None]:
        """Context in which everything is set to take steps; gives the batches from here on."""
        train, device = self.experiment.settings.train, self.experiment.device
        with ExitStack() as stack:
            stack.enter_context(cpu_threads(train.threads))
            stack.enter_context(keep_freed_memory())
            stack.enter_context(tf32_and_autotune(device))
            stack.enter_context(isolated_rng(device))
            stack.enter_context(
                first_outputs_checked(self.experiment.method, self.experiment.training.channels, self.experiment.names)
            )
            if train.compile is True and not self._synchronized:
                self._compile()
            yield stack.enter_context(closing(self.batches()))

    def _compile(self) -> None:
        experiment = self.experiment
        method, train = experiment.method, experiment.settings.train
        with self.timer.aside(), closing(self.batches()) as batches, self.saving_if_data_fail():
            update = self.next_batches(batches)[: train.accumulate]
            method.begin(update[0].position)
            compile_networks(
                method,
                self.precision,
                train.batch_size // self.processes.size,
                experiment.device,
                lambda: measure_norms(method, update, self.precision),
                train.accumulate,
            )

    def next_batches(self, batches: Iterator[Batch]) -> Sequence[Batch]:
        """Wait for the next step's batches: those of an update, and of phases that repeat theirs with others."""
        train = self.experiment.settings.train
        position = Position(self.step, train.steps)
        count = train.accumulate * step_batches(self.experiment.method.phases(), position)
        with self.timer.waiting():
            return [batch._replace(position=position) for batch in islice(batches, count)]

    def observe(self) -> None:
        """Run the validation and previews due at this step, unless done before; a signal postpones them."""
        with self.timer.aside():
            if not self.validated:
                self._validate()
            if self.validated and not self.previewed:
                self._preview()

    def _validate(self) -> None:
        if self.step > 0 and self._due(self.step, self.experiment.settings.evaluate.validations):
            self._seed("validation")
            try:
                self.metrics, per_image = validate(self.experiment, self.predictor, self.stopping_together)
            except Interrupted:
                return
            if self.best:
                self.best = after_validation(self.best, self.step, self.metrics, self.experiment.metrics)
                self.requests.save |= self.best.step == self.step
            self._tell(Validated(self.step, self.metrics, per_image, self.best))
            self._agree()
        self.validated = True
        self._note()

    def _preview(self) -> None:
        if self._due(self.step, self.experiment.settings.evaluate.previews):
            self._seed("preview")
            if self.processes.is_first:
                self.listeners.emit(Previewed(self.step, preview(self.experiment, self.predictor)))
        self.previewed = True
        self._note()

    def _note(self) -> None:
        """Record completed validation and previews in this step's checkpoint, if there is one."""
        if self.saved == self.step:
            self.save()

    def advance(self, batches: Sequence[Batch]) -> None:
        """Take one step with its batches."""
        settings = self.experiment.settings
        set_rates(self.optimizers, self.experiment.schedules, Position(self.step, settings.train.steps))
        number = self.step + 1
        validating = self._due(number, settings.evaluate.validations)
        reading = number == 1 or number % settings.train.values_every == 0 or validating
        self._seed("step")
        next_step(self.experiment.device)
        method = self.experiment.method
        with self.timer.stepping(len(batches)):
            method.begin(batches[0].position)
            with synchronized_norms(self._synchronized, self.processes):
                result = train_step(method, batches, self.optimizers, reading, self.step_settings)
            self.processes.average_statistics(method.networks.values())
            if self.state.average:
                self.state.average.update(self.step)
        if number == 1:  # what cannot be saved is refused before more steps are lost
            for role, optimizer in self.optimizers.items():
                state_tensors(optimizer, method.networks[role])
        self.step, self.validated, self.previewed = number, False, False
        result = result._replace(losses=self.processes.averaged(result.losses)) if reading else result
        if self.processes.is_first:
            self._tell(Step(number, self._values(result) if reading else None))
        self.requests.note("method", require_request(method.request(), f"request() of {type(method).__name__}"))
        self._agree()

    @property
    def _synchronized(self) -> Collection[Network]:
        """The networks whose batch norms have the statistics of all processes' inputs."""
        experiment = self.experiment
        return experiment.networks.values() if experiment.settings.train.sync_batch_norm else ()

    def stopping(self) -> bool:
        """True once a signal asked this process to stop or, as all have agreed on, another one."""
        return self._stopping() if self.processes.is_alone else self._is_stopped

    def stopping_together(self) -> bool:
        """`stopping`, agreed on now."""
        self._agree()
        return self.stopping()

    def _agree(self) -> None:
        """Have all processes follow what one of them was asked for: to stop, to save, to end the training."""
        if self.processes.is_alone:
            return
        asked = (self._stopping(), self.requests.save or self._is_save_due, self.requests.stop is not None)
        stop, save, end = self.processes.largest([int(flag) for flag in asked])
        self._is_stopped |= bool(stop)
        self.requests.save = bool(save)
        if end:
            self.requests.stop = next(filter(None, self.processes.of_each(self.requests.stop)))

    def _tell(self, event: Step | Validated) -> None:
        for label, request in self.listeners.emit(event):
            self.requests.note(dotted(("listeners", label)), request)

    def save(self) -> None:
        """Save a checkpoint of this step.

        Of several processes the first one writes it, once all have the same.

        Raises:
            TrainingError: processes have different tensors, or one is not finite. Losses are not read at every step,
                and stay finite where an optimizer's state overflows, so all is checked before it replaces a valid
                checkpoint.
        """
        checkpoint = self.experiment.settings.checkpoint
        with self.timer.aside():
            require_equal_state(self.state, self.processes, self.step)
            if found := not_finite(self.state, self.infinite):
                more = f" and {len(found) - 1} more tensors" if len(found) > 1 else ""
                raise _diverged(f"not finite at step {self.step}: {found[0]}{more}")
            progress = TrainProgress(
                run=self.experiment.run_id,
                step=self.step,
                validated=self.validated,
                previewed=self.previewed,
                metrics=dict(self.metrics),
                loss_scale=self.precision.state(),
                best=self.best,
                stop=self.requests.stop,
                listeners=self.listeners.states(),
            )
            path = save(self.folder, progress, self.state, checkpoint.keep) if self.processes.is_first else None
            self.requests.save = False
            self.timer.saved()
            if self.saved != self.step:
                self.saved = self.step
                if path:
                    self.listeners.emit(CheckpointSaved(self.step, path))

    @contextmanager
    def saving_if_data_fail(self) -> Generator[None, None, None]:
        """Context that saves a checkpoint if a pair cannot be read, and adds that to the error.

        With several processes nothing is saved, as the others have gone on.
        """
        try:
            yield
        except DataError as error:
            if not self.processes.is_alone:
                raise
            self.save()
            saved = "The run is saved. Restore the data and `gen resume` it; --allow-changed-data accepts other data."
            hint = f"{error.hint}\n{saved}" if error.hint else saved
            raise DataError(error.what, where=error.where, hint=hint) from error

    @property
    def wants_saving(self) -> bool:
        """True if a checkpoint is due by the recipe's `minutes`, was asked for, or is the best one."""
        return self.requests.save or (self.processes.is_alone and self._is_save_due)

    @property
    def _is_save_due(self) -> bool:
        return self.timer.minutes_since_save() >= self.experiment.settings.checkpoint.minutes

    @property
    def ended_early(self) -> EarlyEnd | None:
        """The reason if this step is the last one although others were to follow; None otherwise."""
        train = self.experiment.settings.train
        return (self.requests.stop or out_of_patience(self.best, train.patience)) if self.step < train.steps else None

    @property
    def is_over(self) -> bool:
        """True if this step is the last one."""
        return self.step >= self.experiment.settings.train.steps or self.ended_early is not None

    def _due(self, step: int, times: int) -> bool:
        return due(step, self.experiment.settings.train.steps, times) or self.ended_early is not None

    def _seed(self, purpose: str) -> None:
        """Seed the RNGs by the recipe's seed, the purpose and the step; and by the process, but for the first."""
        rank = () if self.processes.is_first else (self.processes.rank,)
        seed = derived_seed(self.experiment.settings.seed, purpose, self.step, *rank)
        seed_random_numbers(seed, self.experiment.device)

    def _values(self, result: StepResult) -> StepMetrics:
        """Read a step's values from the device; raises if a loss is not finite."""
        losses = _read(result.losses)
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise _diverged(f"the loss {name} became {loss} at step {self.step}")
        gradients, weights = _read(result.gradient_norms), _read(result.weight_norms)
        throughput = self.timer.throughput()
        self.data_stall.note(throughput)
        return StepMetrics(
            losses,
            rates(self.optimizers),
            gradients,
            weights,
            throughput.images_per_second,
            throughput.waiting,
            self._loss_weights(),
            _read(result.total_gradient_norms),
        )

    def _loss_weights(self) -> dict[str, float]:
        """The weights of the last step that change over the training."""
        position = Position(self.step - 1, self.experiment.settings.train.steps)
        losses = self.experiment.method.losses
        return {label: weight.at(position) for label, (_, weight) in losses.items() if weight.start is not None}


def _read(tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """Read all values in one transfer, as each one synchronizes a GPU."""
    values = torch.stack(list(tensors.values())).tolist() if tensors else []
    return dict(zip(tensors, values, strict=True))


def _diverged(what: str) -> TrainingError:
    return TrainingError(
        what,
        hint="A lower optimizer.learning_rate, an optimizer.clip, or other loss weights may keep the training stable. "
        "The run's last checkpoint, if it has one, predates the divergence; to continue from there: "
        "gen resume RUN --set optimizer.learning_rate=VALUE",
    )
