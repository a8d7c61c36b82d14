"""Weights that networks start with: what matches, what is widened, and who follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from tests.conftest import ROOT
from tests.core.assemble.test_roles import TEACHER
from torch import Tensor

from genlab import Network, RecipeError
from genlab.assemble.networks import build_networks, construct_networks, outlined
from genlab.assemble.read import check_document
from genlab.assemble.recipe import Recipe
from genlab.assemble.starting_weights import StoredWeights, match_weights, take_weights
from genlab.assemble.weights_match import WeightsMatch
from genlab.config.document import Document
from genlab.config.load import load_recipe
from genlab.registry.discovery.find import find_plugins

Resolved = Callable[..., Recipe]
Documents = Callable[..., Document]
Started = tuple[dict[str, Network], dict[str, WeightsMatch]]


def stored(network: Network | Mapping[str, Tensor]) -> StoredWeights:
    tensors = network.state_dict() if isinstance(network, Network) else network
    return StoredWeights("elsewhere", {name: tensor.clone() for name, tensor in tensors.items()}, "")


@pytest.fixture
def started(
    resolved: Resolved, document: Documents
) -> Callable[..., tuple[dict[str, Network], dict[str, WeightsMatch]]]:
    """Networks of the toy recipe that start with stored weights, by role."""

    def call(weights: Mapping[str, StoredWeights], *assignments: str, channels: tuple[int, int] = (3, 3)):
        recipe, text = resolved(*assignments), document(*assignments)
        made = build_networks(recipe, channels, text)
        return made, take_weights(recipe, made, weights, text)

    return call


def facades_network(channels: int, seed: int) -> tuple[Recipe, dict[str, Network], Document]:
    """The U-Net and the discriminator of the tiny recipe, for conditions of so many channels."""
    document = load_recipe(ROOT / "tests" / "assets" / "tiny.toml", [f"seed={seed}", "generator.dropout=0"])
    recipe = check_document(document, find_plugins()).recipe
    return recipe, build_networks(recipe, (channels, 3), document), document


@pytest.mark.parametrize("training", [True, False])
def test_further_input_channels_change_nothing_at_first(training: bool) -> None:
    _, before, _ = facades_network(3, seed=1)
    recipe, made, document = facades_network(5, seed=2)
    found = take_weights(recipe, made, {"generator": stored(before["generator"])}, document)["generator"]
    assert found.widened == ("encoder.0.conv.weight",)
    assert not any((found.other_shapes, found.missing, found.unused))
    image = torch.randn(2, 5, 32, 32, generator=torch.Generator().manual_seed(0))
    one, other = (networks["generator"].train(training) for networks in (before, made))
    torch.testing.assert_close(other(image), one(image[:, :3]), rtol=0, atol=1e-5)
    other(image).square().mean().backward()
    assert made["generator"].get_parameter("encoder.0.conv.weight").grad[:, 3:].abs().sum() > 0  # pyright: ignore


def test_what_reads_two_things_is_not_widened() -> None:
    """A discriminator's further channels of the condition come before those of the image."""
    _, before, _ = facades_network(3, seed=1)
    recipe, made, document = facades_network(4, seed=2)
    drawn = made["discriminator"].state_dict()["layers.0.conv.weight"].clone()
    found = take_weights(recipe, made, {"discriminator": stored(before["discriminator"])}, document)["discriminator"]
    assert not found.widened
    assert found.other_shapes == ("layers.0.conv.weight: 4 x 6 x 4 x 4 there, 4 x 7 x 4 x 4 here",)
    assert made["discriminator"].state_dict()["layers.0.conv.weight"].equal(drawn)


def test_fewer_input_channels_and_other_outputs_are_drawn(started: Callable[..., Started]) -> None:
    (large, _) = started({}, channels=(5, 4))
    made, found = started({"generator": stored(large["generator"])})
    assert {text.partition(":")[0] for text in found["generator"].other_shapes} == {
        "first.weight", "last.weight", "last.bias"
    }  # fmt: skip
    assert found["generator"].matched == ("noise", "first.bias")
    (drawn, _) = started({})
    assert made["generator"].state_dict()["first.weight"].equal(drawn["generator"].state_dict()["first.weight"])


def test_weights_are_taken_in_the_type_of_the_network(started: Callable[..., Started]) -> None:
    (other, _) = started({}, "seed=3")
    half = {name: tensor.half() for name, tensor in other["generator"].state_dict().items()}
    made, _ = started({"generator": stored(half)})
    for name, tensor in made["generator"].state_dict().items():
        assert tensor.dtype == torch.float32
        assert tensor.equal(half[name].float())


def test_too_large_for_the_type_of_the_network_is_not_finite(started: Callable[..., Started]) -> None:
    (other, _) = started({}, "seed=3")
    huge = {name: tensor.double() + 1e300 for name, tensor in other["generator"].state_dict().items()}
    with pytest.raises(RecipeError, match="noise and 4 more are not finite"):
        started({"generator": stored(huge)})


def test_a_constant_of_the_network_may_be_infinite(started: Callable[..., Started]) -> None:
    (other, _) = started({}, "seed=3")
    tensors = dict(other["generator"].state_dict())
    tensors["noise"] = torch.full((4,), torch.inf)
    with pytest.raises(RecipeError, match="noise is not finite"):
        started({"generator": stored(tensors)})


def test_an_untrained_network_follows_the_one_that_it_is_like(started: Callable[..., Started]) -> None:
    (other, _) = started({}, *TEACHER, "seed=3")
    first = stored(other["generator"])
    made, _ = started({"generator": first}, *TEACHER)
    for name, tensor in first.tensors.items():
        assert made["average"].state_dict()[name].equal(tensor)
    own = stored({name: tensor + 1 for name, tensor in first.tensors.items()})
    made, _ = started({"generator": first, "average": own}, *TEACHER)
    assert made["average"].state_dict()["first.weight"].equal(own.tensors["first.weight"])


def test_shapes_are_enough_to_compare(resolved: Resolved, document: Documents, started: Callable[..., Started]) -> None:
    (made, taken) = started({"generator": stored(started({}, "seed=3")[0]["generator"])})
    weights = {"generator": stored(made["generator"])}

    def compare() -> dict[str, WeightsMatch]:
        return match_weights(resolved(), construct_networks(resolved(), (3, 3), document()), weights, document())

    assert outlined(compare) == taken


def test_of_very_many_unused_names_the_first_are_kept(started: Callable[..., Started]) -> None:
    (made, _) = started({})
    many = {f"{'x' * 100}{number}": torch.zeros(0) for number in range(3000)}
    _, found = started({"generator": stored({**made["generator"].state_dict(), **many})})
    assert len(found["generator"].unused) == 1000
    assert len(found["generator"].summary()) < 1000


# The tables


def test_init_is_read_and_written(resolved: Resolved) -> None:
    recipe = resolved('init.generator={from="a", freeze=["first"]}', "init.discriminator=false")
    assert recipe.init["generator"].source is not None
    assert recipe.init["generator"].source.is_absolute()
    table = recipe.tables()["init"]["generator"]
    source = str(recipe.init["generator"].source)
    assert table == {"weights": "auto", "checkpoint": "last", "freeze": ["first"], "from": source}
    assert resolved(text=recipe.toml()).init == recipe.init
    assert "init" not in resolved().tables()


def test_what_nothing_uses_is_dropped(resolved: Resolved) -> None:
    assert not resolved('init.discriminator={from="a"}', "losses.play=false").init


@pytest.mark.parametrize(
    ("assignment", "path", "words"),
    [
        ("init=3", ("init",), "expected a table"),
        ("init.generator=a", ("init", "generator"), "expected a table"),
        ("init.generator={}", ("init", "generator"), "needs `from`"),
        ("init.generator.weights=ema", ("init", "generator"), "`weights` needs `from`"),
        ("init.judge.freeze=true", ("init", "judge"), "has no network `judge`"),
        ('init.generator.from="a\\tb"', ("init", "generator", "from"), "control characters"),
    ],
)
def test_faults_of_the_tables(resolved: Resolved, assignment: str, path: tuple[str, ...], words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        resolved(assignment)
    assert [fault.path for fault in caught.value.faults] == [path]


def test_what_is_not_trained_cannot_be_frozen(resolved: Resolved) -> None:
    with pytest.raises(RecipeError, match="does not train its average"):
        resolved(*TEACHER, "init.average.freeze=true")
