"""Layout of TensorBoard's Custom Scalars page: the curves that it draws together."""

from __future__ import annotations

import re
from collections.abc import Collection

from tensorboard.plugins.custom_scalar.layout_pb2 import Category, Chart, Layout, MultilineChartContent


def layout(tags: Collection[str]) -> Layout:
    """Charts for those tags that there are, each of which answers a question.

    How far do validation pairs lag behind training pairs? Do generator and discriminator keep up with each other?
    Do gradients reach every level of a network?
    """
    roles = _roles(tags)
    categories = {
        "Validation and training pairs": {metric: _sides(metric) for metric in _metrics(tags)},
        "Losses": {"Terms of all phases": ["loss/"]} if any(tag.startswith("loss/") for tag in tags) else {},
        "Gradients of every level": {role.capitalize(): _levels("gradient_norm", role) for role in roles},
        "Gradients relative to weights": {role.capitalize(): _levels("gradient_to_weight", role) for role in roles},
    }
    return Layout(category=[_category(title, charts) for title, charts in categories.items() if charts])


def _category(title: str, charts: dict[str, list[str]]) -> Category:
    contents = {name: MultilineChartContent(tag=patterns) for name, patterns in charts.items()}
    return Category(title=title, chart=[Chart(title=name, multiline=content) for name, content in contents.items()])


def _roles(tags: Collection[str]) -> list[str]:
    """The networks whose gradients were measured, in order."""
    return list(dict.fromkeys(tag.split("/")[2] for tag in tags if tag.startswith("weights/gradient_norm/")))


def _metrics(tags: Collection[str]) -> list[str]:
    return [tag.removeprefix("validation/") for tag in tags if tag.startswith("validation/")]


def _sides(metric: str) -> list[str]:
    """Patterns for the tags of a metric; TensorBoard matches patterns at the start of a tag."""
    return [f"{re.escape(f'{side}/{metric}')}$" for side in ("validation", "train")]


def _levels(group: str, role: str) -> list[str]:
    return [re.escape(f"weights/{group}/{role}/")]
