"""A run in TensorBoard."""

from __future__ import annotations

from typing_extensions import override

from genlab import Compared, Ended, Listener, Previewed, Probed, Started, Step, Validated
from genlab_tensorboard.tags import step_scalars


class TensorBoard(Listener):
    """Writes curves, pictures, settings, the recipe and a page of charts to the run's folder `tensorboard`."""

    @override
    def started(self, event: Started) -> None:
        # TensorBoard takes a quarter of a second to import, which nothing but a training needs.
        from genlab_tensorboard.board import Board

        self._board = Board(event.folder / "tensorboard", event)
        self._board.begin({"title": event.title, **event.facts}, event.recipe)

    @override
    def step(self, event: Step) -> None:
        if event.values is not None:
            self._board.add_scalars(event.step, step_scalars(event.values))

    @override
    def previewed(self, event: Previewed) -> None:
        self._board.add_pictures(event.step, event.pictures)

    @override
    def compared(self, event: Compared) -> None:
        from genlab_tensorboard.comparison import write_comparison

        write_comparison(event)

    @override
    def probed(self, event: Probed) -> None:
        from genlab_tensorboard.probing import write_probe

        write_probe(event)

    @override
    def validated(self, event: Validated) -> None:
        self._board.add_scalars(event.step, event.metrics)

    @override
    def ended(self, event: Ended) -> None:
        if event.status == "finished":
            self._board.finish()
