"""Losses that need a discriminator: the sides of their game, and the discriminator that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Literal

import pytest
from tests.core.assemble.conftest import OPTIMIZERS, Fool, Game, Judge, Memory, Near, Net
from torch import Tensor, nn

from genlab import Objective, RecipeError, Registry, StepContext
from genlab.assemble.networks import construct_networks
from genlab.assemble.recipe import Recipe
from genlab.assemble.resolve import resolve
from genlab.config.document import Document
from genlab.registry.components import Components
from genlab.registry.discovery.plugin import Plugin


class Penalty(Objective):
    side: ClassVar[Literal["generator", "discriminator"]] = "discriminator"
    needs_independent_scores = True

    def forward(self, step: StepContext) -> Tensor:
        return step.score(step.target)[0].square().mean()


class Lesson(Objective):
    def forward(self, step: StepContext) -> Tensor:
        return -step.score(step.prediction)[0].mean()


class Matching(Lesson):
    needs_features = True


class WithNorm(Judge):
    """Has a norm; `norm` says which."""

    def __init__(
        self, *, condition_channels: int, image_channels: int, norm: Literal["batch", "instance"] = "batch"
    ) -> None:
        super().__init__(condition_channels=condition_channels, image_channels=image_channels)
        self.norm = nn.BatchNorm2d(1) if norm == "batch" else nn.InstanceNorm2d(1)


@pytest.fixture(scope="module")
def components() -> Components:
    registry = Registry()
    registry.dataset("memory", Memory)
    registry.generator("net", Net)
    registry.discriminator("judge", Judge)
    registry.discriminator("with_norm", WithNorm)
    registry.loss("near", Near)
    registry.loss("fool", Fool)
    registry.loss("penalty", Penalty)
    registry.loss("lesson", Lesson)
    registry.loss("matching", Matching)
    registry.method("game", Game)
    return Components([*OPTIMIZERS, Plugin("toys", "genlab-toys", "1.0", registrations=registry.registrations)])


TEXT = """
method.name = "game"
data.name = "memory"
generator.name = "net"
discriminator.name = "judge"
input.size = 8
train = { steps = 4, batch_size = 2, device = "cpu" }
losses.near = {}
"""


@pytest.fixture
def read(document: Callable[..., Document], components: Components) -> Callable[..., tuple[Recipe, Document]]:
    def call(losses: Iterable[str], *assignments: str) -> tuple[Recipe, Document]:
        made = document(*(f"losses.{name}={{}}" for name in losses), *assignments, text=TEXT)
        return resolve(made, components), made

    return call


@pytest.mark.parametrize(
    ("losses", "what"),
    [
        (["penalty"], "the loss `penalty` penalizes a discriminator, and no loss of the generator asks for its scores"),
        (["lesson"], "the loss `lesson` compares what a discriminator makes of images, and no loss trains one"),
    ],
)
def test_one_side_of_the_game_alone_is_refused(read, losses, what):
    with pytest.raises(RecipeError) as caught:
        read(losses)
    (fault,) = caught.value.faults
    assert what in fault.what
    assert f"losses.{losses[0]}.weight = 0" in fault.hint


@pytest.mark.parametrize("losses", [["fool"], ["fool", "penalty", "lesson"], ["penalty", "lesson"], []])
def test_both_sides_or_none_make_a_recipe(read, losses):
    recipe, _ = read(losses)
    assert ("discriminator" in recipe.networks) == bool(losses)


def test_features_of_a_discriminator_without_are_refused_before_data_are_read(read):
    recipe, made = read(["fool", "matching"])
    with pytest.raises(RecipeError, match=r"`matching` compares features .* \"judge\" gives none"):
        construct_networks(recipe, (3, 3), made)


def test_a_penalty_on_each_image_does_not_go_with_batch_norm(read):
    recipe, made = read(["fool", "penalty"], "discriminator.name=with_norm")
    with pytest.raises(RecipeError) as caught:
        construct_networks(recipe, (3, 3), made)
    (fault,) = caught.value.faults
    assert '`penalty` needs scores of each image by itself, and discriminator "with_norm" has batch norm' in fault.what
    assert fault.hint.startswith('Set discriminator.norm = "instance", train.batch_size = 1, or drop the loss')


@pytest.mark.parametrize(
    ("losses", "setting"),
    [
        (["fool", "penalty"], "discriminator.norm=instance"),
        (["fool", "penalty"], "train.batch_size=1"),
        (["fool"], "train.batch_size=2"),
    ],
)
def test_it_goes_with_another_norm_and_with_one_image_at_a_time(read, losses, setting):
    recipe, made = read(losses, "discriminator.name=with_norm", setting)
    assert set(construct_networks(recipe, (3, 3), made)) == {"generator", "discriminator"}
