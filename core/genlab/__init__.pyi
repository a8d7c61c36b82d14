"""The public names, each with its module; `__init__.py` loads them by this file."""

from .api import (
    ablate as ablate,
    check as check,
    open_run as open_run,
    probe as probe,
    resume as resume,
    train as train,
)
from .drawing.contact_sheet import contact_sheet as contact_sheet
from .errors import (
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
from .interfaces.dataset import (
    Choice as Choice,
    Dataset as Dataset,
    ImageSide as ImageSide,
    LabelSide as LabelSide,
    Pair as Pair,
    Pairs as Pairs,
    Side as Side,
    Split as Split,
)
from .interfaces.listener import (
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
    StepMetrics as StepMetrics,
    Trial as Trial,
    Validated as Validated,
)
from .interfaces.loss import AdversarialLoss as AdversarialLoss, Loss as Loss
from .interfaces.method import (
    Batch as Batch,
    Method as Method,
    Outputs as Outputs,
    Phase as Phase,
    Term as Term,
    Terms as Terms,
    WeightedLoss as WeightedLoss,
)
from .interfaces.metric import Metric as Metric
from .interfaces.network import (
    Discriminator as Discriminator,
    Generator as Generator,
    Level as Level,
    Network as Network,
    Skip as Skip,
)
from .interfaces.predictions import Predictions as Predictions
from .registry.hooks import hookimpl as hookimpl
from .registry.registry import Registry as Registry
from .runs.run import Run as Run

__version__: str
__all__: list[str]
