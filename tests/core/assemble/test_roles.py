"""Networks by role: their tables in a recipe, their channels, and what a role asks of its network."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from genlab import (
    DISCRIMINATOR,
    GENERATOR,
    Batch,
    Generator,
    Method,
    Objective,
    Outputs,
    Phase,
    PluginError,
    RecipeError,
    Registry,
    Role,
    StepContext,
    Weight,
)
from genlab.assemble.networks import build_networks
from genlab.assemble.recipe import Recipe
from genlab.assemble.resolve import resolve
from genlab.config.document import Document, read_document
from genlab.interfaces.kinds import KINDS
from genlab.registry.components import Components
from genlab.registry.discovery.plugin import Plugin
from genlab.registry.registry import Registration

TEACHER = ("method.name=teacher", "networks.encoder.name=code")
Resolved = Callable[..., Recipe]


class Special(Generator):
    """Gives larger images, or takes a time."""

    def __init__(self, *, in_channels: int, out_channels: int, scale: int = 1, time: bool = False) -> None:
        super().__init__()
        self.scale = scale
        self.inputs = {"time": 1} if time else {}
        self.layer = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, condition: Tensor) -> Tensor:
        return self.layer(condition)


class Deep(Objective):
    """Compares features of the discriminator."""

    needs_features = True

    def forward(self, step: StepContext) -> Tensor:
        return step.features(step.prediction)[0].mean()


class Clocked(Method):
    """Gives its generator a time."""

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": Role("generator", gives="target", inputs=("time",)),
        "discriminator": DISCRIMINATOR,
    }

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition)

    def phases(self) -> Sequence[Phase]:
        return []


class Reading(Clocked):
    """Has a network that reads the features of its generator."""

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": Role("generator", gives="target"),
        "heads": Role("network", reads=("generator",)),
    }


@pytest.fixture
def components(components: Components) -> Components:
    """The toys, and some that are more special."""
    registry = Registry()
    registry.generator("special", Special)
    registry.method("clocked", Clocked)
    registry.method("reading", Reading)
    registry.loss("deep", Deep)
    more = Plugin("special", "genlab-special", "1.0", registrations=registry.registrations)
    return Components([*components.plugins, more])


@pytest.fixture
def failure(resolved: Resolved) -> Callable[..., list[str]]:
    def call(*assignments: str) -> list[str]:
        with pytest.raises(RecipeError) as caught:
            resolved(*assignments)
        return [str(fault) for fault in caught.value.faults]

    return call


def test_short_forms_are_defaults_of_their_kind(resolved: Resolved):
    recipe = resolved(*TEACHER)
    assert list(recipe.networks) == ["generator", "back", "average", "critic", "encoder"]
    names = {role: config.component.name for role, config in recipe.networks.items()}
    assert names == {"generator": "net", "back": "net", "average": "net", "critic": "judge", "encoder": "code"}
    assert all(recipe.networks[role].settings["width"] == 2 for role in ("generator", "back", "average"))


def test_a_roles_own_table_is_laid_over_that_of_the_one_it_is_like(resolved: Resolved):
    networks = resolved(
        *TEACHER, "networks.generator.depth=1", "networks.back.width=3", "networks.critic.least=2"
    ).networks
    assert networks["generator"].settings == {"width": 2, "depth": 1, "multiple": 4}
    assert networks["back"].settings == {"width": 3, "depth": 1, "multiple": 4}
    assert networks["average"].settings == {"width": 2, "depth": 1, "multiple": 4}
    assert networks["critic"].settings == {"least": 2}


def test_settings_belong_to_the_component_that_they_were_written_for(resolved: Resolved):
    back = resolved(*TEACHER, "networks.back.name=pretrained").networks["back"]
    assert (back.component.name, back.settings) == ("pretrained", {})


def test_a_resolved_recipe_says_every_role_and_resolves_to_itself(resolved: Resolved, components: Components):
    recipe = resolved(*TEACHER, "networks.back.width=3", "losses.near.weight={ from = 1, to = 2, over = 0.5 }")
    tables = recipe.tables()
    assert {"generator", "networks"} <= tables.keys() and "discriminator" not in tables
    assert list(tables["networks"]) == ["back", "average", "critic", "encoder"]
    assert resolve(read_document(recipe.toml(), "again"), components).tables() == tables


def test_only_discriminators_go_with_the_last_loss_that_needs_one(resolved: Resolved):
    assert list(resolved(*TEACHER, "losses.play=false").networks) == ["generator", "back", "average", "encoder"]


def test_channels_are_those_that_the_method_says(resolved: Resolved, document: Callable[..., Document]):
    made = build_networks(resolved(*TEACHER), (5, 3), document(*TEACHER))
    assert made["generator"].first.in_channels == 5 and made["generator"].last.out_channels == 3
    assert made["back"].first.in_channels == 3 + 2 and made["back"].last.out_channels == 5
    assert made["critic"].layer.in_channels == 3
    assert made["encoder"].channels == (5, 3)


def test_a_network_that_is_not_trained_starts_as_the_one_it_is_like(resolved: Resolved, document):
    made = build_networks(resolved(*TEACHER), (3, 3), document(*TEACHER))
    state, average = made["generator"].state_dict(), made["average"].state_dict()
    assert all(torch.equal(state[name], average[name]) for name in state)
    assert not any(weight.requires_grad for weight in made["average"].parameters()) and not made["average"].training
    assert all(weight.requires_grad for weight in made["generator"].parameters())
    other = build_networks(resolved(*TEACHER, "networks.back.name=net"), (3, 3), document(*TEACHER))["back"]
    assert not other.last.weight.equal(made["generator"].last.weight)


@pytest.mark.parametrize(
    ("assignments", "what"),
    [
        (
            ["networks.critc.name=judge"],
            ["has no network `critc`; it has generator, back,", "`critic`?"],
        ),
        (["networks.back.wdth=3"], ['--set networks.back.wdth=3: generator "net" has no setting `wdth`']),
        (["networks.back=3"], ["`networks.back`: expected a table, got 3"]),
        (["networks.encoder.name=net"], ['no plugin gives a network "net"; there are code']),
        (["networks=3"], ["`networks`: expected a table, got 3"]),
    ],
)
def test_faults_of_roles_are_told_where_they_are(failure, assignments, what):
    faults = failure(*TEACHER, *assignments)
    assert any(all(words in fault for words in what) for fault in faults), faults


def test_a_value_instead_of_the_roles_tables_is_told_once(failure):
    assert len(failure(*TEACHER, "networks=3")) == 1


def test_a_role_without_a_table_asks_for_one(failure):
    (fault,) = failure("method.name=teacher")
    assert "`networks.encoder` needs the `name` of a network: code" in fault


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        ("{ to = 10 }", Weight(10.0, 0.0, 1.0)),
        ("{ from = 5, to = 0, over = 0.2 }", Weight(0.0, 5.0, 0.2)),
        ("{ from = 0, to = 0 }", Weight(0.0, 0.0)),
        ("3", Weight(3.0)),
    ],
)
def test_a_weight_may_change_over_the_training(resolved: Resolved, value: str, weight: Weight):
    assert resolved(f"losses.near.weight={value}").weights["near"] == weight


def test_a_number_replaces_a_weight_that_changes(resolved: Resolved):
    recipe = resolved("losses.near.weight={ from = 1, to = 10 }", "losses.near.weight=7")
    assert recipe.weights["near"] == Weight(7.0)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("{ from = 1 }", "the weight of near needs `to`: a number of at least 0"),
        ("{ to = -1 }", "`to`: expected a number of at least 0, got -1"),
        ("{ to = 1, over = 0 }", "`over`: expected a number above 0 and of at most 1, got 0"),
        ("{ to = 1, till = 3 }", "has no setting `till`; it takes to, over, from"),
        ("{ to = nan }", "got nan"),
    ],
)
def test_a_weight_that_cannot_be_is_told(failure, value: str, what: str):
    (fault,) = failure(f"losses.near.weight={value}")
    assert what in fault


@pytest.mark.parametrize(
    ("assignments", "what", "hint"),
    [
        (
            ("generator.name=special", "generator.scale=4"),
            "gives images 4 times as large, and `scale` is 1",
            "Set generator.scale = 1, or set input.scale = 4.",
        ),
        (
            ("input.scale=2",),
            "gives images 1 times as large, and `scale` is 2",
            "Choose a generator with a `scale`, or set input.scale = 1.",
        ),
        (
            ("method.name=teacher", "networks.encoder.name=code", "input.scale=2"),
            "needs sides of one size for its back, and the target is 2 times as large",
            "Set input.scale = 1",
        ),
    ],
)
def test_the_sizes_of_the_sides_are_those_of_the_generator(resolved: Resolved, document, assignments, what, hint):
    with pytest.raises(RecipeError) as caught:
        build_networks(resolved(*assignments), (3, 3), document(*assignments))
    faults = [str(fault) for fault in caught.value.faults]
    assert any(what in fault and hint in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("assignments", "what"),
    [
        (
            ("method.name=clocked", "generator.name=special"),
            'generator "special" takes no time, which method "clocked" gives it as its generator\nSet generator.time =',
        ),
        (
            ("generator.name=special", "generator.time=true"),
            'generator "special" takes a time, which method "game" does not give its generator',
        ),
        (
            ("method.name=reading", "losses.play=false", "networks.heads.name=code"),
            'generator "net" gives no features, which method "reading" needs for its heads',
        ),
        (
            ("method.name=reading", "losses.play=false", "networks.heads.name=code", "input.size=9"),
            'generator "net" gives no features, which method "reading" needs for its heads',
        ),
        (
            (*TEACHER, "networks.average.width=3"),
            'generator "net" has other weights as average than generator "net" as generator\nIt starts with',
        ),
        (("losses.deep.name=deep",), "the loss `deep` compares features of the discriminator"),
    ],
)
def test_what_a_network_lacks_is_told_before_data_are_read(resolved: Resolved, document, assignments, what):
    with pytest.raises(RecipeError) as caught:
        build_networks(resolved(*assignments), (3, 3), document(*assignments))
    assert what in str(caught.value)


def test_a_generator_may_take_the_time_that_a_method_gives(resolved: Resolved, document):
    assignments = ("method.name=clocked", "generator.name=special", "generator.time=true")
    assert build_networks(resolved(*assignments), (3, 3), document(*assignments))["generator"].inputs == {"time": 1}


@pytest.mark.parametrize(
    ("roles", "what"),
    [
        ({"a": Role("generator", gives="target", like="a")}, "is like `a`; expected an earlier role of its kind"),
        ({"generator.optimizer": Role("generator", gives="target")}, "expected a word of letters, digits and"),
        ({"losses": Role("generator", gives="target")}, "none of losses, method, state, as files of checkpoints"),
        ({"a": Role("generator", gives="b")}, "reads or gives `b`; expected a number of channels, or one of"),
        ({"a": Role("discriminator", reads=(3,))}, "expected sides, as it is a discriminator"),
    ],
)
def test_roles_that_cannot_be_are_refused_when_their_method_is_defined(roles: Mapping[str, Role], what: str):
    with pytest.raises(PluginError, match=what):
        type("Odd", (Clocked,), {"roles": roles})


def test_a_role_that_reads_nothing_is_refused():
    with pytest.raises(PluginError, match="reads nothing"):
        Role("discriminator", reads=())


class Chained(Clocked):
    """Has an average of an average."""

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": GENERATOR,
        "first": Role("generator", gives="target", like="generator", trained=False),
        "second": Role("generator", gives="target", like="first", trained=False),
    }


def test_what_is_like_what_is_not_trained_starts_as_that_does(components: Components, document):
    components.plugins[-1].registrations.append(Registration(KINDS["method"], "chained", Chained))
    given = document("method.name=chained", "losses.play=false")
    made = build_networks(resolve(given, Components(components.plugins)), (3, 3), given)
    weights = [network.state_dict()["last.weight"] for network in made.values()]
    assert len(weights) == 3
    assert weights[0].equal(weights[1]) and weights[1].equal(weights[2])
