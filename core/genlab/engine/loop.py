"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from torch import Tensor

from genlab.data.batches import Batches
from genlab.engine.announcer import Announcer
from genlab.engine.checkpoint import Trainee, restore, save
from genlab.engine.experiment import Experiment
from genlab.engine.inference import Predictor
from genlab.engine.optimizers import make_optimizers, rate_at, set_rates
from genlab.engine.pace import Clock, due
from genlab.engine.step import StepResult, train_step
from genlab.engine.stopping import Stopping
from genlab.engine.validation import Interrupted, preview, validate
from genlab.errors import DataError, TrainingError
from genlab.interfaces.listener import CheckpointSaved, Ended, Previewed, Started, Status, Step, Validated, Values
from genlab.interfaces.network import Network


def train(experiment: Experiment, started: Started, checkpoint: Path | None, stop_at: int | None = None) -> Ended:
    """Train from the start, or on from a checkpoint, to the end or to `stop_at`.

    Args:
        experiment: what to train.
        started: the event that tells listeners where and what; its `folder` is the run's.
        checkpoint: where to go on from; None for a new run.
        stop_at: pause after this many steps of the whole training.

    Raises:
        TrainingError: a loss, or a weight when it is to be saved, is no number any more.
        StorageError: a checkpoint cannot be written.
        DataError: a pair cannot be read; a checkpoint is saved before.
    """
    settings, steps = experiment.settings, experiment.settings.train.steps
    last = steps if stop_at is None else min(stop_at, steps)

    # What training changes
    optimizers = make_optimizers(experiment.networks, settings.optimizer, experiment.device)
    trainee = Trainee(experiment.networks, optimizers, experiment.device)
    step = restore(checkpoint, trainee) if checkpoint else 0

    # What it needs beside that
    batches = Batches(experiment.training, settings.input, settings.seed, settings.train.batch_size, experiment.device)
    predictor = Predictor(experiment.method, experiment.networks, settings.inference)
    announcer = Announcer(experiment.listeners)
    clock = Clock(settings.train.batch_size)
    stopping = Stopping()
    metrics: Mapping[str, float] = {}
    status: Status = "failed"

    def make_previews() -> None:
        announcer.tell(Previewed(step, preview(experiment, predictor)))

    def save_checkpoint() -> None:
        _require_numbers(experiment.networks, step)
        path = save(started.folder / "checkpoints", step, trainee, settings.checkpoint.keep)
        clock.saved()
        announcer.tell(CheckpointSaved(step, path))

    announcer.tell(started)
    try:
        with stopping, closing(batches.starting_at(step)) as stream:
            if step == 0:
                with clock.aside():
                    make_previews()

            while step < last and not stopping():
                # One step
                rate = rate_at(step, steps, settings.optimizer.learning_rate, settings.schedule)
                set_rates(optimizers, rate)
                batch = next(stream)
                validating = due(step + 1, steps, settings.evaluate.validations)
                read = step == 0 or (step + 1) % settings.train.values_every == 0 or validating
                result = train_step(experiment.method, batch, optimizers, with_norms=read)
                step += 1
                clock.step_done()
                rates = dict.fromkeys(optimizers, rate)
                announcer.tell(Step(step, _values(result, step, rates, clock) if read else None))

                # What is due after it
                with clock.aside():
                    if due(step, steps, settings.evaluate.previews):
                        make_previews()
                    if validating and step < steps:
                        metrics = validate(experiment, predictor, stopping)
                        announcer.tell(Validated(step, metrics))
                    if clock.minutes_since_save() >= settings.checkpoint.minutes:
                        save_checkpoint()

            save_checkpoint()
            if step == steps:
                metrics = validate(experiment, predictor, stopping)
                announcer.tell(Validated(step, metrics))
            status = "finished" if step == steps else "interrupted" if stopping() else "paused"
    except Interrupted:
        save_checkpoint()
        status = "interrupted"
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    except DataError:
        save_checkpoint()
        raise
    finally:
        ended = Ended(step, status, clock.seconds(), stopping.received, metrics)
        announcer.tell(ended)
    return ended


def _values(result: StepResult, step: int, rates: Mapping[str, float], clock: Clock) -> Values:
    """Read a step's figures from the device; a loss that is no number ends the training."""
    losses = _read(result.losses)
    for name, loss in losses.items():
        if not math.isfinite(loss):
            raise _diverged(f"the loss {name} became {loss} at step {step}")
    gradients, weights = _read(result.gradient_norms), _read(result.weight_norms)
    return Values(losses, rates, gradients, weights, clock.images_per_second())


def _read(tensors: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(tensor) for name, tensor in tensors.items()}


def _require_numbers(networks: Mapping[str, Network], step: int) -> None:
    """Losses are not read at every step, so a checkpoint must make sure that it does not replace a sound one."""
    for role, network in networks.items():
        if not all(parameter.isfinite().all() for parameter in network.parameters()):
            raise _diverged(f"the weights of the {role} are no numbers any more at step {step}")


def _diverged(what: str) -> TrainingError:
    return TrainingError(
        what,
        hint="A lower optimizer.learning_rate, or other loss weights, may keep the training stable. "
        "The run's last checkpoint, if it has one, is from before.",
    )
