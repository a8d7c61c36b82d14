"""Small components of every kind, and recipes made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pytest
import torch
from annotated_types import Ge
from torch import Tensor, nn

from genlab import (
    DISCRIMINATOR,
    GENERATOR,
    AdversarialLoss,
    Augmentation,
    AugmentedSide,
    Batch,
    Choice,
    DataError,
    Dataset,
    Discriminator,
    Generator,
    ImageSide,
    Listener,
    Loss,
    Method,
    Metric,
    Network,
    Outputs,
    Pair,
    Pairs,
    Phase,
    Registry,
    Role,
    Scores,
    Split,
)
from genlab.assemble.recipe import Recipe
from genlab.assemble.resolve import resolve
from genlab.config.document import Document, read_document
from genlab.config.overrides import read_assignments
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins
from genlab.registry.discovery.plugin import Plugin

RECIPE = """\
title = "Toys"

[data]
name = "memory"
count = 3

[input]
size = 8

[method]
name = "game"

[generator]
name = "net"
width = 2

[discriminator]
name = "judge"

[losses.near]
weight = 100

[losses.play]
name = "fool"

[train]
steps = 4
device = "cpu"
threads = 1

[evaluate.metrics.far]

[listeners.log]
"""


OPTIMIZERS = [plugin for plugin in find_plugins() if plugin.name == "optimizers"]
"""The plugin of what every recipe has by default."""


class MemoryPairs(Pairs):
    def __init__(self, count: int, split: Split, channels: int) -> None:
        super().__init__(ImageSide(channels), ImageSide(), f"{count} pairs for {split}")
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Pair:
        rng = np.random.default_rng(index)
        a = rng.integers(0, 256, (8, 8, self.a.channels), dtype=np.uint8)  # pyright: ignore
        return Pair(str(index), a, rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))


class Memory(Dataset):
    def __init__(self, *, count: Annotated[int, Ge(1)] = 4, odd: bool = False, channels: int = 3) -> None:
        if odd and count % 2 == 0:
            raise ValueError(f"count is {count}, which is even")
        self.count, self.channels = count, channels

    def open(self, split: Split) -> Pairs:
        return MemoryPairs(self.count if split == "train" else 2, split, self.channels)


class Last(Dataset):
    """The last of its sources, of whatever they are.

    Args:
        sources: where pairs may come from.
    """

    def __init__(self, *, sources: list[Dataset]) -> None:
        self.sources = sources

    def open(self, split: Split) -> Pairs:
        raise DataError("the choice itself is never opened")

    def choose(self) -> Choice:
        return Choice(self.sources[-1].choose().dataset, "the first was not wanted")


class Net(Generator):
    """Draws its weights; `noise` is drawn by the constructor and stays."""

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        width: int = 4,
        depth: int = 0,
        multiple: Annotated[int, Ge(1)] = 4,
    ) -> None:
        super().__init__()
        if width > 64:
            raise ValueError("too wide: width is at most 64")
        self.first = nn.Conv2d(in_channels, width, 1)
        self.inner = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(depth))
        self.last = nn.Conv2d(width, out_channels, 1)
        self.register_buffer("noise", torch.rand(4))
        self.multiple = multiple

    @property
    def size_multiple(self) -> int:
        return self.multiple

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        parameter.normal_(generator=rng)

    def forward(self, condition: Tensor) -> Tensor:
        features = self.first(condition)
        for layer in self.inner:
            features = layer(features)
        return self.last(features).tanh()


class Pretrained(Generator):
    """Brings its weights along."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 1)
        nn.init.constant_(self.layer.weight, 0.25)

    def forward(self, condition: Tensor) -> Tensor:
        return self.layer(condition)


class Judge(Discriminator):
    def __init__(self, *, condition_channels: int, image_channels: int, least: int = 3) -> None:
        super().__init__()
        self.layer = nn.Conv2d(condition_channels + image_channels, 1, 3)
        self.least = least

    @property
    def receptive_field(self) -> int:
        return 3

    @property
    def min_size(self) -> int:
        return self.least

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        parameter.normal_(generator=rng)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.layer(torch.cat([condition, image], dim=1))


class Near(Loss):
    def __init__(self, *, power: int = 1) -> None:
        super().__init__()
        if power == 0:
            raise ValueError("power must not be 0")

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (target - prediction).abs().mean()


class Fool(AdversarialLoss):
    def for_generator(self, scores: Scores) -> Tensor:
        return -scores.prediction.mean()

    def for_discriminator(self, scores: Scores) -> Tensor:
        return (scores.prediction - scores.target).mean()


class Far(Metric):
    higher_is_better = False

    def __init__(self, *, window: int = 1) -> None:
        if window % 2 == 0:
            raise ValueError(f"window is {window}, but must be odd")
        self.window = window

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        if target.shape[-1] < self.window:
            raise DataError("the images are smaller than a window")

    def compute(self) -> float:
        return 0.0

    def reset(self) -> None: ...

    def merge(self, other: Self) -> None: ...


class Log(Listener):
    """Hears everything and says nothing."""


class Alone(Method):
    """Needs a generator alone."""

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition)

    def phases(self) -> Sequence[Phase]:
        trained = [role for role in self.networks if self.roles[role].trained]
        return [Phase(role, (role,), lambda _batch, _outputs: {}) for role in trained]


class Game(Alone):
    """Needs a discriminator, too."""

    roles: ClassVar[Mapping[str, Role]] = {"generator": GENERATOR, "discriminator": DISCRIMINATOR}

    def __init__(self, networks: Any, losses: Any, *, limit: int = 9) -> None:
        super().__init__(networks, losses)
        if len(losses) > limit:
            raise ValueError(f"limit is {limit}, and there are {len(losses)} losses")


class Code(Network):
    """An encoder of what it reads."""

    def __init__(self, in_channels: Sequence[int], *, width: int = 4) -> None:
        super().__init__()
        self.channels, self.width = tuple(in_channels), width
        self.layer = nn.Conv2d(sum(in_channels), width, 1)


class Teacher(Alone):
    """Has a network of each kind, two of one kind, and one that is not trained."""

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": GENERATOR,
        "back": Role("generator", reads=("target", 2), gives="condition", like="generator"),
        "average": Role("generator", gives="target", like="generator", trained=False),
        "critic": Role("discriminator", reads=("target",)),
        "encoder": Role("network", reads=("condition", "target")),
    }

    def __init__(self, networks: Any, losses: Any, channels: Mapping[str, int]) -> None:
        super().__init__(networks, losses)
        if channels["condition"] > channels["target"]:
            raise ValueError(f"the condition has more channels than the target: {channels}")


class Sorting(Alone):
    """Predicts classes."""

    predictions = "classes"


class Cut(Augmentation):
    """Gives the upper left of images that are larger by a margin.

    Args:
        margin: in pixels.
        gives: what is wrong with it, if anything.
    """

    draw_count: ClassVar[int] = 1

    def __init__(self, *, margin: int = 4, gives: Literal["images", "floats", "all", "nothing"] = "images") -> None:
        self.margin = margin
        self.gives = gives

    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        if size[0] % 2:
            raise ValueError(f"`margin`: it takes even heights, got {size[0]}")
        return size[0] + self.margin, size[1] + self.margin

    def apply(self, images: Tensor, side: AugmentedSide, draws: Tensor) -> Any:
        if images.shape[1] == 1:
            raise ValueError(f"the {side.name} has no colors")
        assert draws.shape == (len(images), 1)
        cut = images[:, :, : side.size[0], : side.size[1]]
        return {"images": cut, "floats": cut.float(), "all": images, "nothing": None}[self.gives]


@pytest.fixture(scope="session")
def components() -> Components:
    registry = Registry()
    registry.dataset("memory", Memory)
    registry.dataset("last", Last)
    registry.generator("net", Net)
    registry.generator("deep_net", Net, depth=2)
    registry.generator("pretrained", Pretrained)
    registry.discriminator("judge", Judge)
    registry.loss("near", Near)
    registry.loss("fool", Fool)
    registry.metric("far", Far)
    registry.augmentation("cut", Cut)
    registry.method("alone", Alone)
    registry.method("game", Game)
    registry.method("teacher", Teacher)
    registry.network("code", Code)
    registry.method("sorting", Sorting)
    registry.listener("log", Log)
    return Components([*OPTIMIZERS, Plugin("toys", "genlab-toys", "1.0", registrations=registry.registrations)])


@pytest.fixture
def recipe_text() -> str:
    return RECIPE


@pytest.fixture
def document() -> Callable[..., Document]:
    """Read a recipe's text, the toy recipe's unless told otherwise, and lay assignments over it."""

    def call(*assignments: str, text: str = RECIPE) -> Document:
        return read_assignments(assignments).over(read_document(text, "r.toml"))

    return call


@pytest.fixture
def resolved(components: Components, document: Callable[..., Document]) -> Callable[..., Recipe]:
    """Resolve such a recipe against the toy components."""

    def call(*assignments: str, text: str = RECIPE) -> Recipe:
        return resolve(document(*assignments, text=text), components)

    return call


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
