"""The kinds of components: their interfaces, their tables in a recipe, their constructors' reserved arguments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of component.

    Args:
        name: as in `registry.generator`.
        interfaces: where the classes are that a component must derive from, one of them.
        table: the table of a recipe that names it, or that has a table for each label.
        supplied: the constructor's arguments that the framework gives.
        reserved: the keys of its table that are the framework's.
        offered: the constructor's arguments that the framework gives where they are taken.
        is_labeled: whether a recipe may have several, each in a table under a label.
        is_named_by_label: whether the label is the component's name, unless the table has a `name`.
        default: the component of a recipe that names none. A kind that has one may be configured by role, too: in a
            table of the role's name, within its own.
    """

    name: str
    interfaces: tuple[str, ...]
    table: tuple[str, ...]
    supplied: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ("name",)
    is_labeled: bool = False
    is_named_by_label: bool = True
    default: str = ""


def with_article(name: str) -> str:
    """A kind's name in a sentence: `a loss`, `an augmentation`."""
    return f"an {name}" if name.startswith(tuple("aeiou")) else f"a {name}"


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "generator",
            ("genlab.interfaces.network:Generator",),
            ("generator",),
            supplied=("in_channels", "out_channels"),
        ),
        Kind(
            "discriminator",
            ("genlab.interfaces.network:Discriminator",),
            ("discriminator",),
            supplied=("condition_channels", "image_channels"),
        ),
        Kind(
            "network",
            ("genlab.interfaces.network:Network",),
            ("networks",),
            offered=("in_channels",),
            is_labeled=True,
            is_named_by_label=False,
        ),
        Kind(
            "loss",
            (
                "genlab.interfaces.loss:Loss",
                "genlab.interfaces.loss:AdversarialLoss",
                "genlab.interfaces.loss:Objective",
            ),
            ("losses",),
            reserved=("name", "weight"),
            is_labeled=True,
        ),
        Kind("dataset", ("genlab.interfaces.dataset:Dataset",), ("data",)),
        Kind("augmentation", ("genlab.interfaces.augmentation:Augmentation",), ("augment",), is_labeled=True),
        Kind("metric", ("genlab.interfaces.metric:Metric",), ("evaluate", "metrics"), is_labeled=True),
        Kind(
            "method",
            ("genlab.interfaces.method:Method",),
            ("method",),
            supplied=("networks", "losses"),
            offered=("channels",),
        ),
        Kind(
            "optimizer",
            ("torch.optim:Optimizer",),
            ("optimizer",),
            supplied=("params",),
            reserved=("name", "clip"),
            default="genlab:adam",
        ),
        Kind(
            "schedule",
            ("genlab.interfaces.schedule:Schedule",),
            ("schedule",),
            reserved=("name", "warmup"),
            default="genlab:constant",
        ),
        Kind("listener", ("genlab.interfaces.listener:Listener",), ("listeners",), is_labeled=True),
    )
}
