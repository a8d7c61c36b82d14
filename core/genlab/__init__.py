"""Experiments with image-to-image generative models, put together from plugins.

These are the public names. Importing this imports no torch: the names that need it are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlab.api import (
        ablate as ablate,
        check as check,
        open_run as open_run,
        probe as probe,
        resume as resume,
        train as train,
    )
    from genlab.drawing.contact_sheet import contact_sheet as contact_sheet
    from genlab.errors import (
        DataError as DataError,
        DataUnavailableError as DataUnavailableError,
        DeviceError as DeviceError,
        GenlabError as GenlabError,
        PluginError as PluginError,
        RecipeError as RecipeError,
        RunError as RunError,
        StorageError as StorageError,
        TrainingError as TrainingError,
    )
    from genlab.interfaces.dataset import (
        Choice as Choice,
        Dataset as Dataset,
        ImageSide as ImageSide,
        LabelSide as LabelSide,
        Pair as Pair,
        Pairs as Pairs,
        Side as Side,
        Split as Split,
    )
    from genlab.interfaces.listener import (
        CheckpointSaved as CheckpointSaved,
        Compared as Compared,
        Ended as Ended,
        Interval as Interval,
        Listener as Listener,
        Pictures as Pictures,
        Previewed as Previewed,
        Probed as Probed,
        SkipEffect as SkipEffect,
        Started as Started,
        Step as Step,
        Trial as Trial,
        Validated as Validated,
        Values as Values,
    )
    from genlab.interfaces.loss import AdversarialLoss as AdversarialLoss, Loss as Loss
    from genlab.interfaces.method import (
        Batch as Batch,
        Method as Method,
        Phase as Phase,
        Shared as Shared,
        Term as Term,
        Terms as Terms,
        WeightedLoss as WeightedLoss,
    )
    from genlab.interfaces.metric import Metric as Metric
    from genlab.interfaces.network import (
        Discriminator as Discriminator,
        Generator as Generator,
        Level as Level,
        Network as Network,
        Skip as Skip,
    )
    from genlab.interfaces.predictions import Predictions as Predictions
    from genlab.registry.hooks import hookimpl as hookimpl
    from genlab.registry.registry import Registry as Registry
    from genlab.runs.run import Run as Run

_MODULES = {
    "genlab.api": ("ablate", "check", "open_run", "probe", "resume", "train"),
    "genlab.errors": (
        "DataError",
        "DataUnavailableError",
        "DeviceError",
        "GenlabError",
        "PluginError",
        "RecipeError",
        "RunError",
        "StorageError",
        "TrainingError",
    ),
    "genlab.registry.hooks": ("hookimpl",),
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
        "Compared",
        "Ended",
        "Interval",
        "Listener",
        "Pictures",
        "Previewed",
        "Probed",
        "SkipEffect",
        "Started",
        "Step",
        "Trial",
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
    "genlab.interfaces.network": ("Discriminator", "Generator", "Level", "Network", "Skip"),
    "genlab.interfaces.predictions": ("Predictions",),
    "genlab.registry.registry": ("Registry",),
    "genlab.runs.run": ("Run",),
    "genlab.drawing.contact_sheet": ("contact_sheet",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__version__ = "0.1.0"

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'genlab' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
