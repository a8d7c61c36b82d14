"""The public names, each with its module; `__init__.py` loads them by this file."""

from .ablation.ablate import Ablation as Ablation
from .ablation.results import AblationResult as AblationResult
from .ablation.work import AblationWorker as AblationWorker
from .api import (
    ablate as ablate,
    bench as bench,
    check as check,
    plan_ablation as plan_ablation,
    resume as resume,
    train as train,
)
from .assemble.memory_estimate import MemoryEstimate as MemoryEstimate, estimate_memory as estimate_memory
from .assemble.read import CheckedRecipe as CheckedRecipe, read_recipe as read_recipe
from .assemble.recipe_schema import recipe_schema as recipe_schema
from .config.copy import copy_recipe as copy_recipe
from .config.load import list_recipes as list_recipes
from .data.cache import CacheContent as CacheContent
from .drawing.contact_sheet import contact_sheet as contact_sheet
from .engine.tiles import Tiles as Tiles
from .errors import (
    ArgumentError as ArgumentError,
    DataError as DataError,
    DataUnavailableError as DataUnavailableError,
    DeviceError as DeviceError,
    GenlabError as GenlabError,
    LostProcessError as LostProcessError,
    PluginError as PluginError,
    PredictionError as PredictionError,
    RecipeError as RecipeError,
    RunError as RunError,
    StorageError as StorageError,
    TrainingError as TrainingError,
)
from .images.folder import ImageFolder as ImageFolder, find_images as find_images
from .images.header import Alpha as Alpha, ImageHeader as ImageHeader, PixelType as PixelType
from .images.read import (
    IMAGE_EXTENSIONS as IMAGE_EXTENSIONS,
    MAX_PIXELS as MAX_PIXELS,
    common_type as common_type,
    read_header as read_header,
    read_headers as read_headers,
    read_image as read_image,
)
from .images.source import ImageSource as ImageSource
from .interfaces.augmentation import Augmentation as Augmentation, AugmentedSide as AugmentedSide
from .interfaces.batch import Batch as Batch
from .interfaces.dataset import (
    Choice as Choice,
    Dataset as Dataset,
    ImageSide as ImageSide,
    LabelSide as LabelSide,
    Pair as Pair,
    Pairs as Pairs,
    Side as Side,
    SideImage as SideImage,
    SideName as SideName,
    Split as Split,
    Unpaired as Unpaired,
)
from .interfaces.listener import (
    BestValidation as BestValidation,
    CheckpointSaved as CheckpointSaved,
    Compared as Compared,
    EarlyEnd as EarlyEnd,
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
from .interfaces.loss import AdversarialLoss as AdversarialLoss, Loss as Loss, Objective as Objective, Scores as Scores
from .interfaces.method import (
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
    Scored as Scored,
    Skip as Skip,
    as_scored as as_scored,
)
from .interfaces.optimizer import eager_optimizer as eager_optimizer
from .interfaces.position import Draws as Draws, Position as Position
from .interfaces.predictions import Predictions as Predictions
from .interfaces.request import Request as Request, SaveCheckpoint as SaveCheckpoint, StopTraining as StopTraining
from .interfaces.role import DISCRIMINATOR as DISCRIMINATOR, GENERATOR as GENERATOR, Role as Role
from .interfaces.schedule import Schedule as Schedule
from .interfaces.step_context import StepContext as StepContext
from .interfaces.terms import (
    discriminator_phases as discriminator_phases,
    discriminator_terms as discriminator_terms,
    generator_terms as generator_terms,
    needs_discriminator as needs_discriminator,
    objective_side as objective_side,
)
from .interfaces.weight import Weight as Weight
from .registry.discovery.find import list_plugins as list_plugins
from .registry.discovery.overview import PluginRow as PluginRow
from .registry.documentation import ComponentDocs as ComponentDocs, describe_components as describe_components
from .registry.hooks import hookimpl as hookimpl
from .registry.registry import Registry as Registry
from .runs.annotation import RunAnnotation as RunAnnotation, annotate_run as annotate_run
from .runs.checkpoint_choice import CheckpointChoice as CheckpointChoice
from .runs.listed_run import ListedRun as ListedRun
from .runs.manifest import RunStatus as RunStatus
from .runs.opening import open_run as open_run
from .runs.prediction_size import PredictionSize as PredictionSize
from .runs.pruning import prune_runs as prune_runs
from .runs.removal import remove_runs as remove_runs
from .runs.run import Run as Run
from .runs.run_list import RunList as RunList, list_runs as list_runs
from .scaffold.package import create_plugin as create_plugin
from .testing.check import CheckedComponent as CheckedComponent, check_components as check_components
from .tools.bench.report import Benchmark as Benchmark
from .tools.cache import clear_cache as clear_cache, inspect_cache as inspect_cache
from .tools.compare.compare import compare_runs as compare_runs
from .tools.compare.comparison import Comparison as Comparison
from .tools.convert.convert import convert as convert
from .tools.data_report import DataReport as DataReport, inspect_data as inspect_data
from .tools.evaluate.evaluate import evaluate as evaluate
from .tools.evaluate.evaluation import EvaluatedScore as EvaluatedScore, Evaluation as Evaluation
from .tools.export.export_run import Exported as Exported, ExportFormat as ExportFormat, export_run as export_run
from .tools.export.pretrained import from_pretrained as from_pretrained
from .tools.overfit.losses import OverfitLoss as OverfitLoss
from .tools.overfit.overfit import Overfit as Overfit, overfit as overfit
from .tools.predict import predict_files as predict_files, predict_pairs as predict_pairs
from .tools.prediction_pairs import PredictedSplit as PredictedSplit
from .tools.probe.probe import probe as probe
from .tools.sample import SampledFiles as SampledFiles, sample_files as sample_files, sample_pairs as sample_pairs
from .tools.summary import NetworkSummary as NetworkSummary, describe_networks as describe_networks
from .tools.tiling import choose_tiles as choose_tiles
from .tools.verify.certificate import Certificate as Certificate, CertificateRow as CertificateRow
from .tools.verify.verify import verify as verify

__version__: str
__all__: list[str]
