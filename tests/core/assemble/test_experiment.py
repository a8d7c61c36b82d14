"""A recipe made into networks, data and a method that fit together."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from genlab import DataError, Phase, PluginError, RecipeError, Weight
from genlab.assemble import source_digest
from genlab.assemble.experiment import build, build_method, build_networks, construct, prepare
from genlab.assemble.open_data import open_data
from genlab.assemble.pair_cache import cache_keys
from genlab.assemble.recipe import Recipe
from genlab.config.document import Document
from genlab.data.augment import load_size
from genlab.data.cache import name_of

Make = Callable[..., Any]


@pytest.fixture
def made(resolved: Callable[..., Recipe], document: Callable[..., Document]) -> Make:
    """Resolve the toy recipe with some values set, and give it with its document to a function of `build`."""

    def call(function: Make, *assignments: str, **more: Any) -> Any:
        return function(resolved(*assignments), document=document(*assignments), **more)

    return call


@pytest.fixture
def refusal(made: Make) -> Callable[..., list[str]]:
    """What is told of each fault."""

    def call(function: Make, *assignments: str, **more: Any) -> list[str]:
        with pytest.raises(RecipeError) as caught:
            made(function, *assignments, **more)
        return [str(fault) for fault in caught.value.faults]

    return call


def channels(recipe: Recipe, document: Document) -> tuple[int, int]:
    return prepare(recipe, open_data(construct(recipe, document).data).training).channels


def weights(made: Make, *assignments: str, role: str = "generator") -> dict[str, torch.Tensor]:
    network = made(build_networks, *assignments, channels=(3, 3))[role]
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in one.keys() & other.keys() if torch.equal(one[name], other[name])}


def test_what_is_kept_of_pairs_depends_on_all_that_prepares_them(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def names(*assignments: str) -> dict[str, str]:
        def kept(recipe: Recipe, document: Document) -> dict[str, str]:
            parts = construct(recipe, document)
            data = open_data(parts.data)
            loaded = load_size(parts.augmentations, recipe.settings.input.height_width)
            return {key.part: name_of(key.content) for key in cache_keys(recipe, data, loaded)}

        return made(kept, *assignments)

    plain = names()
    assert len({*plain.values()}) == len(plain) == 2 or len(plain) == 3
    assert names("seed=5", "train.batch_size=3") == plain
    assert names('input.direction="b_to_a"')["validation"] != plain["validation"]
    assert names("input.size=16")["validation"] != plain["validation"]
    wider = names("augment.cut={}")
    assert wider["validation"] == plain["validation"] and wider["training"] != plain["training"]
    assert not {*names("input.resize=crop").values()} & {*plain.values()}
    monkeypatch.setattr(source_digest, "digests", lambda modules: dict.fromkeys(modules, "changed"))
    changed = names()
    assert not {*changed.values()} & {*plain.values()}


def test_an_experiment_has_all_parts_of_the_recipe(made: Make) -> None:
    recipe, experiment, data, _ = made(build)
    assert list(experiment.networks) == ["generator", "discriminator"]
    assert experiment.method.networks == experiment.networks
    assert {label: weight for label, (_, weight) in experiment.method.losses.items()} == {
        "near": Weight(100.0),
        "play": Weight(1.0),
    }
    assert list(experiment.metrics) == ["far"]
    assert [label for label, _ in experiment.listeners] == ["log"]
    assert (len(experiment.training), len(experiment.validation), len(experiment.unaugmented)) == (3, 2, 3)
    assert (data.config, data.reason) == (recipe.data, None)
    assert experiment.device == torch.device("cpu")


def test_the_recipe_of_an_experiment_is_settled(made: Make) -> None:
    recipe = made(build, "train.device=auto", "train.threads=1").recipe
    assert recipe.settings.train.threads == 1
    assert recipe.settings.train.device in ("cpu", "cuda", "mps")


def test_a_choice_of_data_is_settled(made: Make) -> None:
    sources = 'data.sources=[{ name = "memory" }, { name = "last", sources = [{ name = "memory", count = 7 }] }]'
    recipe, experiment, data, _ = made(build, "data.name=last", sources)
    assert recipe.tables()["data"] == {"name": "genlab-toys:memory", "count": 7, "odd": False, "channels": 3}
    assert data.reason == "the first was not wanted"
    assert len(experiment.training) == 7


@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_networks_have_the_channels_of_their_sides(made: Make, direction: str) -> None:
    networks = made(build, "data.channels=1", f"input.direction={direction}").experiment.networks
    condition, target = (1, 3) if direction == "a_to_b" else (3, 1)
    assert networks["generator"].first.in_channels == condition
    assert networks["generator"].last.out_channels == target
    assert networks["discriminator"].layer.in_channels == condition + target


def test_a_method_that_asks_is_given_the_channels_of_its_sides(refusal: Callable[..., list[str]]) -> None:
    teacher = ("method.name=teacher", "losses.play=false", "networks.encoder.name=code", "networks.critic.name=judge")
    (fault,) = refusal(build, *teacher, "data.channels=1", "input.direction=b_to_a")
    assert "more channels than the target: {'condition': 3, 'target': 1}" in fault


def test_channels_can_be_asked_for_alone(made: Make) -> None:
    assert made(channels, "data.channels=1") == (1, 3)
    assert made(channels, "data.channels=1", "input.direction=b_to_a") == (3, 1)


def test_a_metric_that_cannot_measure_the_pairs_is_found(made: Make) -> None:
    with pytest.raises(DataError, match="smaller than a window"):
        made(build, "evaluate.metrics.far.window=9")


def test_training_pairs_are_as_large_as_the_first_augmentation_takes_them(made: Make) -> None:
    labels = ("augment.cut={margin=3}", "augment.more={name='cut', margin=2}")
    experiment = made(build, *labels, "input.size=[8, 4]").experiment
    assert [(step.label, step.input_size, step.size) for step in experiment.augmentations] == [
        ("cut", (13, 9), (10, 6)),
        ("more", (10, 6), (8, 4)),
    ]
    assert experiment.training[0].condition.shape == (3, 13, 9)
    experiment = made(build, "augment.cut={}").experiment
    assert experiment.training[0].condition.shape == (3, 12, 12)
    assert experiment.unaugmented[0].condition.shape == experiment.validation[0].condition.shape == (3, 8, 8)


# First weights


def test_first_weights_are_a_function_of_seed_role_and_name(made: Make) -> None:
    torch.manual_seed(1)
    one = weights(made)
    torch.manual_seed(2)
    assert same(one, weights(made)) == set(one)
    assert same(one, weights(made, "seed=1")) == set()
    assert same(weights(made, role="discriminator"), weights(made, "seed=1", role="discriminator")) == set()


def test_variants_start_from_the_same_weights_where_names_and_shapes_agree(made: Make) -> None:
    plain, deep = weights(made), weights(made, "generator.depth=2")
    assert same(plain, deep) == set(plain)
    assert set(deep) > set(plain)
    preset = weights(made, "generator.name=deep_net", "generator.width=2")
    assert same(deep, preset) == set(deep)


def test_the_discriminator_does_not_depend_on_the_generator(made: Make) -> None:
    one, other = weights(made, role="discriminator"), weights(made, "generator.depth=3", role="discriminator")
    assert same(one, other) == set(one)


def test_what_a_constructor_draws_is_seeded(made: Make) -> None:
    noises = [made(build_networks, f"seed={seed}", channels=(3, 3))["generator"].noise.tolist() for seed in (0, 0, 1)]
    assert noises[0] == noises[1] != noises[2]


def test_weights_that_a_network_brings_stay(made: Make) -> None:
    network = made(build_networks, "generator.name=pretrained", channels=(3, 3))["generator"]
    assert torch.all(network.layer.weight == 0.25)


def test_building_networks_leaves_the_random_numbers_of_others_alone(made: Make) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    made(build_networks, channels=(3, 3))
    assert torch.equal(torch.rand(3), expected)


def test_building_changes_nothing_outside_of_what_is_built(made: Make) -> None:
    """So several arms of a comparison can be built in one process."""
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    made(build, f"train.threads={threads + 1}")
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


# What does not go together


def test_a_generators_refusal_is_shown_at_the_setting_it_names(refusal: Callable[..., list[str]]) -> None:
    (fault,) = refusal(build_networks, "generator.width=65", channels=(3, 3))
    assert fault == '--set generator.width=65: generator "net": too wide: width is at most 64'


def test_what_no_size_can_do_is_told_of_both_networks(refusal: Callable[..., list[str]]) -> None:
    faults = refusal(
        build_networks, "input.size=30", "generator.multiple=16", "discriminator.least=40", channels=(3, 3)
    )
    assert faults == [
        '--set input.size=30: generator "net" takes multiples of 16, got 30\n'
        "Nearest: 16, 32. A generator with fewer levels takes other sizes.",
        '--set input.size=30: discriminator "judge" needs at least 40, got 30\n'
        "A discriminator with a smaller receptive field takes smaller images.",
    ]


def test_the_least_size_and_a_multiple_will_do(made: Make) -> None:
    assert len(made(build_networks, "generator.multiple=8", "discriminator.least=8", channels=(3, 3))) == 2


def test_a_size_is_shown_in_the_recipe(refusal: Callable[..., list[str]]) -> None:
    (fault,) = refusal(build_networks, "generator.multiple=16", channels=(3, 3))
    assert fault.split("\n") == [
        'r.toml:8:8: generator "net" takes multiples of 16, got 8',
        "  8 | size = 8",
        "    |        ^",
        "Nearest: 16. A generator with fewer levels takes other sizes.",
    ]


def test_height_and_width_must_both_do(refusal: Callable[..., list[str]]) -> None:
    faults = refusal(build_networks, "input.size=[8, 10]", "discriminator.least=9", channels=(3, 3))
    assert [fault.split("\n")[0].split(": ")[-1] for fault in faults] == [
        'generator "net" takes multiples of 4, got 8 x 10',
        'discriminator "judge" needs at least 9, got 8 x 10',
    ]


def test_the_refusals_of_both_networks_and_the_size_are_told_at_once(refusal: Callable[..., list[str]]) -> None:
    faults = refusal(build_networks, "generator.width=65", "discriminator.least=9", channels=(3, 3))
    assert [fault.split(": ")[0] for fault in faults] == ["--set generator.width=65", "r.toml:8:8"]


def test_refusals_of_all_that_needs_no_data_are_told_at_once(refusal: Callable[..., list[str]]) -> None:
    assignments = ["data.odd=true", "data.count=4", "losses.near.power=0", "evaluate.metrics.far.window=2"]
    for function in (construct, build):
        assert refusal(function, *assignments) == [
            '--set data.count=4: dataset "memory": count is 4, which is even',
            '--set evaluate.metrics.far.window=2: metric "far": window is 2, but must be odd',
            '--set losses.near.power=0: loss "near": power must not be 0',
        ]


def test_an_inner_dataset_refuses_in_its_own_place(refusal: Callable[..., list[str]]) -> None:
    sources = 'data.sources=[{ name = "memory", odd = true }]'
    assert refusal(construct, "data.name=last", sources) == [
        f'--set {sources}: dataset "memory": count is 4, which is even'
    ]


def test_a_method_refuses_at_its_table(made: Make, refusal: Callable[..., list[str]]) -> None:
    networks, losses = made(build_networks, channels=(3, 3)), made(construct).losses
    parts = {"networks": networks, "losses": losses, "channels": (3, 3)}
    for function, more in ((build, {}), (build_method, parts)):
        assert refusal(function, "method.limit=1", **more) == [
            '--set method.limit=1: method "game": limit is 1, and there are 2 losses'
        ]


def test_a_phase_of_a_network_that_is_not_there(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = made(lambda recipe, document: recipe)
    phases = [Phase("critic", ("critic",), lambda batch, shared: {})]
    monkeypatch.setattr(recipe.method.component.cls, "phases", lambda self: phases)
    with pytest.raises(PluginError, match="its phase `critic` updates `critic`; the networks are generator"):
        made(build)


def test_what_constructors_draw_is_seeded(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a loss's random projection: a resumed run must have the same."""
    recipe = made(lambda recipe, document: recipe)
    drawn: list[float] = []
    near = recipe.losses["near"].component.cls
    first = near.__init__
    monkeypatch.setattr(near, "__init__", lambda *a, **k: (first(*a, **k), drawn.append(torch.rand(()).item()))[0])
    torch.manual_seed(1)
    made(build)
    torch.manual_seed(2)
    made(build)
    assert len(drawn) == 2
    assert drawn[0] == drawn[1]


def test_data_that_refuse_their_settings_are_located(refusal: Callable[..., list[str]]) -> None:
    (fault,) = refusal(channels, "data.odd=true", "data.count=4")
    assert fault.endswith('dataset "memory": count is 4, which is even')


def test_errors_of_the_data_pass_through(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = made(lambda recipe, document: recipe)
    cls = recipe.data.component.cls

    def fail(_self: Any, split: str) -> Any:
        raise DataError(f"there are no pairs to {split}")

    monkeypatch.setattr(cls, "open", fail)
    with pytest.raises(DataError, match="there are no pairs to train"):
        made(build)
