"""The training loop."""

from __future__ import annotations

from dataclasses import replace

from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.experiment import Experiment
from genlab.engine.listener_list import ListenerList
from genlab.engine.stop_signal import StopSignal
from genlab.engine.training import Training
from genlab.interfaces.listener import Ended, Started, Status


def train_loop(
    experiment: Experiment, started: Started, checkpoint: IntactCheckpoint | None, stop_at: int | None = None
) -> Ended:
    """Train from the start or from a checkpoint, to the end, its own or the recipe's, or to `stop_at`.

    Args:
        experiment: what to train.
        started: the first event for listeners; its `folder` is the run's.
        checkpoint: the checkpoint to resume from; None for a new run.
        stop_at: pause after this many steps of the whole training.

    Raises:
        TrainingError: a loss, or a tensor to be saved, is not finite.
        StorageError: a checkpoint cannot be written.
        DataError: a pair cannot be read; a checkpoint is saved first.
    """
    last = experiment.settings.train.steps if stop_at is None else stop_at
    listeners, stopping = ListenerList(experiment.listeners), StopSignal()
    training = Training(experiment, checkpoint, started.folder / "checkpoints", listeners, stopping)
    status: Status = "failed"

    try:
        with stopping:
            listeners.emit(replace(started, validated=training.validated, previewed=training.previewed))
            if checkpoint and experiment.processes.is_first:
                listeners.load_states(checkpoint.progress.listeners)
            with training.ready() as batches:
                while True:
                    # Before the last validation, so that a failure there loses no steps
                    if training.is_over:
                        training.save()

                    # What is due at this step, and the next batches
                    with training.saving_if_data_fail():
                        training.observe()
                        if training.is_over or training.step >= last or training.stopping():
                            break
                        step_batches = training.next_batches(batches)

                    if training.wants_saving:
                        training.save()
                    training.advance(step_batches)

            training.save()
            if training.stopping() and not (training.is_over and training.validated):
                status = "interrupted"
            else:
                status = "finished" if training.is_over else "paused"
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        ended = Ended(
            training.step,
            status,
            training.timer.seconds(),
            stopping.received,
            training.metrics,
            training.best,
            training.ended_early if status == "finished" else None,
        )
        listeners.emit(ended)
    return ended
