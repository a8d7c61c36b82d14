"""A run's figures, and an ablation's, for pandas and spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from genlab import Compared, Ended, Listener, Started, Step, Validated

from genlab_csv.table import Cell, Table

FIGURES = ("time", "event", "step", "quantity", "name", "image", "value")
CURVES = ("arm", "metric", "step", "low", "mean", "high")

Row = tuple[Cell, ...]


class CSV(Listener):
    """Writes `metrics.csv` in the run's folder, one row a figure, and `curves.csv` in an ablation's.

    The columns of `metrics.csv` are `time` (UTC), `event`, `step`, `quantity`, `name`, `image` and `value`:

    - event `step`, where figures were read: quantities `loss`, `learning_rate`, `gradient_norm` and `weight_norm`, with
      the name of the phase's term, the network or its level; and `speed`, named `images_per_second`;
    - event `validation`: quantity `metric`, with names such as `validation/l1`, `train/l1` and `gap/l1`;
    - event `ended`: quantity `seconds`, how long this stretch took, named as it ended: `finished`, `paused`,
      `interrupted` or `failed`.

    `curves.csv` has a row for each `arm`, `metric` and `step`: the `mean` over the seeds, and `low` and `high`, one
    standard deviation to each side.

    Args:
        per_image: whether to write at each validation what each image has by itself too, as the quantity
            `image_metric`, with the image's key in the column `image`.
    """

    def __init__(self, *, per_image: bool = False) -> None:
        self.per_image = per_image

    def started(self, event: Started) -> None:
        self._resumed_at = event.step
        self._table = Table(event.folder / "metrics.csv", FIGURES)
        # A stretch that was cut short may have gone on after the checkpoint that the run now goes on from.
        self._table.keep(lambda row: row["step"].isdecimal() and int(row["step"]) <= event.step)

    def step(self, event: Step) -> None:
        if event.values is None:
            return
        values = event.values
        figures = {
            "loss": values.losses,
            "learning_rate": values.learning_rates,
            "gradient_norm": values.gradient_norms,
            "weight_norm": values.weight_norms,
            "speed": {"images_per_second": values.images_per_second},
        }
        self._add("step", event.step, figures)

    def validated(self, event: Validated) -> None:
        if event.step == self._resumed_at:
            # A run that was cut off between a validation and the note of it makes that validation again.
            self._table.keep(lambda row: (row["event"], row["step"]) != ("validation", str(event.step)))
        self._add("validation", event.step, {"metric": event.metrics}, event.per_image if self.per_image else None)

    def ended(self, event: Ended) -> None:
        self._add("ended", event.step, {"seconds": {event.status: event.seconds}})

    def compared(self, event: Compared) -> None:
        Table(event.folder / "curves.csv", CURVES).write(_curves(event))

    def _add(
        self,
        event: str,
        step: int,
        figures: Mapping[str, Mapping[str, float]],
        per_image: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        """Add a row for each figure by quantity and name, and for each image's by name and key."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows: list[Row] = [
            (now, event, step, quantity, name, "", value)
            for quantity, values in figures.items()
            for name, value in values.items()
        ]
        for name, values in (per_image or {}).items():
            rows += [(now, event, step, "image_metric", name, image, value) for image, value in values.items()]
        self._table.add(rows)


def _curves(event: Compared) -> Iterator[Row]:
    for metric, arms in event.curves.items():
        for arm, curve in arms.items():
            for step, (low, mean, high) in curve.items():
                yield arm, metric, step, low, mean, high
