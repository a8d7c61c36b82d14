"""Experiments with image-to-image generative models, put together from plugins.

These are the public names. Importing this imports no torch: the names that need it are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlab.api import check, open_run, resume, train
    from genlab.errors import (
        DataError,
        DataUnavailableError,
        DeviceError,
        GenlabError,
        PluginError,
        RecipeError,
        RunError,
        TrainingError,
    )
    from genlab.hooks import hookimpl
    from genlab.interfaces.dataset import (
        Choice,
        Dataset,
        ImageSide,
        LabelSide,
        Pair,
        Pairs,
        Side,
        Split,
    )
    from genlab.interfaces.listener import (
        CheckpointSaved,
        Ended,
        Listener,
        Pictures,
        Previewed,
        Started,
        Step,
        Validated,
        Values,
    )
    from genlab.interfaces.loss import AdversarialLoss, Loss
    from genlab.interfaces.method import Batch, Method, Phase, Shared, Term, Terms, WeightedLoss
    from genlab.interfaces.metric import Metric
    from genlab.interfaces.network import Discriminator, Generator, Level, Network
    from genlab.registry import Registry
    from genlab.run import Run

_MODULES = {
    "genlab.api": ("check", "open_run", "resume", "train"),
    "genlab.errors": (
        "DataError",
        "DataUnavailableError",
        "DeviceError",
        "GenlabError",
        "PluginError",
        "RecipeError",
        "RunError",
        "TrainingError",
    ),
    "genlab.hooks": ("hookimpl",),
    "genlab.interfaces.dataset": (
        "Choice",
        "Dataset",
        "ImageSide",
        "LabelSide",
        "Pair",
        "Pairs",
        "Side",
        "Split",
    ),
    "genlab.interfaces.listener": (
        "CheckpointSaved",
        "Ended",
        "Listener",
        "Pictures",
        "Previewed",
        "Started",
        "Step",
        "Validated",
        "Values",
    ),
    "genlab.interfaces.loss": ("AdversarialLoss", "Loss"),
    "genlab.interfaces.method": (
        "Batch",
        "Method",
        "Phase",
        "Shared",
        "Term",
        "Terms",
        "WeightedLoss",
    ),
    "genlab.interfaces.metric": ("Metric",),
    "genlab.interfaces.network": ("Discriminator", "Generator", "Level", "Network"),
    "genlab.registry": ("Registry",),
    "genlab.run": ("Run",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__version__ = "0.1.0"

__all__ = [  # noqa: PLE0604  (names, sorted; a test holds them to the imports above)
    "__version__",
    *sorted(_HOMES),
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'genlab' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
