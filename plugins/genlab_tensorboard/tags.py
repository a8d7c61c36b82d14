"""Tags of a run's values in TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping

from genlab import Pictures, StepMetrics


def step_scalars(values: StepMetrics) -> dict[str, float]:
    """The figures of a step by tag; pages sort them by name, with the many of the levels behind validation's.

    How large a level's gradient is beside its weights says more than the weights' norm alone, so that one is left out.
    """
    relative = {
        level: gradient / values.weight_norms[level]
        for level, gradient in values.gradient_norms.items()
        if values.weight_norms.get(level)
    }
    return {
        **_under("loss", values.losses),
        **_under("optimizer/learning_rate", values.learning_rates),
        **_under("optimizer/loss_weight", values.loss_weights),
        **_under("optimizer/gradient_norm", values.total_gradient_norms),
        **_under("weights/gradient_norm", values.gradient_norms),
        **_under("weights/gradient_to_weight", relative),
        "speed/images_per_second": values.images_per_second,
        "speed/waiting_for_data": values.waiting,
    }


def column_titles(pictures: Pictures) -> list[str]:
    """Names of a picture's columns, and of what they show, for its tag."""
    names = (title.partition("\n") for title in pictures.columns)
    return [f"{name} [{caption}]" if caption else name for name, _, caption in names]


def _under(group: str, figures: Mapping[str, float]) -> dict[str, float]:
    return {f"{group}/{name}": figure for name, figure in figures.items()}
