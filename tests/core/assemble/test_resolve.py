"""What a recipe says, completed with defaults; and all that can be wrong with it, each in its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genlab import RecipeError, Weight
from genlab.assemble.recipe import Recipe
from genlab.assemble.resolve import KEYS, resolve
from genlab.config.builtin import shipped_names
from genlab.config.load import load_recipe
from genlab.config.schema import TABLES
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins

Resolved = Callable[..., Recipe]


@pytest.fixture
def failure(resolved: Resolved, recipe_text: str) -> Callable[..., list[str]]:
    """The faults of the toy recipe after some text in it was replaced and some values were set."""

    def call(*assignments: str, text: str | None = None, **replaced: str) -> list[str]:
        changed = recipe_text if text is None else text
        for old, new in replaced.items():
            assert old in PLACES, old
            changed = changed.replace(PLACES[old], new)
        with pytest.raises(RecipeError) as caught:
            resolved(*assignments, text=changed)
        return [str(fault) for fault in caught.value.faults]

    return call


# Parts of the toy recipe that tests replace.
PLACES = {
    "title": 'title = "Toys"\n',
    "data": '[data]\nname = "memory"\ncount = 3\n',
    "generator": '[generator]\nname = "net"\nwidth = 2\n',
    "discriminator": '[discriminator]\nname = "judge"\n',
    "train": "[train]\nsteps = 4\n",
    "size": "size = 8\n",
    "near": "[losses.near]\nweight = 100\n",
    "play": '[losses.play]\nname = "fool"\n',
    "metric": "[evaluate.metrics.far]\n",
}

Failure = Callable[..., list[str]]


def test_a_recipe_is_completed_with_every_default(resolved: Resolved) -> None:
    recipe = resolved()
    assert recipe.title == "Toys"
    assert recipe.settings.seed == 0
    assert recipe.settings.input.height_width == (8, 8)
    assert recipe.optimizers["generator"].config.settings["betas"] == (0.5, 0.999)
    assert recipe.data.settings == {"count": 3, "odd": False, "channels": 3}
    assert recipe.networks["generator"].settings == {"width": 2, "depth": 0, "multiple": 4}
    assert recipe.weights == {"near": Weight(100.0), "play": Weight(1.0)}
    assert recipe.losses["play"].component.name == "fool"
    assert recipe.metrics["far"].settings == {"window": 1}
    assert list(recipe.listeners) == ["log"]


def test_a_number_without_a_point_will_do_for_one_with(resolved: Resolved) -> None:
    weight = resolved("losses.near.weight=3").weights["near"]
    assert (weight.to, type(weight.to)) == (3.0, float)


def test_height_and_width_may_differ(resolved: Resolved) -> None:
    assert resolved("input.size=[16, 8]").settings.input.height_width == (16, 8)


def test_a_loss_of_weight_0_is_gone_whatever_its_settings(resolved: Resolved) -> None:
    recipe = resolved("losses.near.weight=0", "losses.near.nonsense=1")
    assert list(recipe.losses) == list(recipe.weights) == ["play"]
    assert list(recipe.networks) == ["generator", "discriminator"]


@pytest.mark.parametrize("assignment", ["losses.play.weight=0", "losses.play.weight=0.0", "losses.play=false"])
def test_with_the_last_adversarial_loss_the_discriminator_goes(resolved: Resolved, assignment: str) -> None:
    recipe = resolved(assignment)
    assert list(recipe.losses) == ["near"]
    assert list(recipe.networks) == ["generator"]


def test_without_an_adversarial_loss_no_discriminator_is_needed(resolved: Resolved, recipe_text: str) -> None:
    text = recipe_text.replace(PLACES["discriminator"], "").replace(PLACES["play"], "")
    assert list(resolved(text=text).networks) == ["generator"]


def test_a_label_set_to_false_is_gone(resolved: Resolved) -> None:
    recipe = resolved("listeners.log=false", "evaluate.metrics.far=false")
    assert (recipe.listeners, recipe.metrics) == ({}, {})


def test_a_label_may_name_another_component(resolved: Resolved) -> None:
    recipe = resolved("evaluate.metrics.twice.name=far", "evaluate.metrics.twice.window=3", 'losses."a b".name=near')
    assert recipe.metrics["twice"].settings == {"window": 3}
    assert recipe.losses["a b"].component.name == "near"


def test_a_discriminator_that_the_method_does_not_use_is_left_out(resolved: Resolved) -> None:
    recipe = resolved("method.name=alone", "losses.play=false")
    assert list(recipe.networks) == ["generator"]


def test_all_faults_are_told_at_once_in_the_order_of_the_file(failure: Failure) -> None:
    faults = failure(
        title="title = 3\nsed = 1\n",
        data='[data]\nname = "memry"\n',
        size="size = true\n",
        generator='[generator]\nname = "net"\nwidht = 2\ndepth = "x"\n',
        near="[losses.near]\nweight = -1\n",
        metric="[evaluate.metrics.far]\nwindow = 2.5\n[evaluate]\npairs = 0\n",
    )
    assert [fault.split(": ")[0] for fault in faults] == [
        "r.toml:1:9",
        "r.toml:2:1",
        "r.toml:5:8",
        "r.toml:8:8",
        "r.toml:15:1",
        "r.toml:16:9",
        "r.toml:22:10",
        "r.toml:33:10",
        "r.toml:35:9",
    ]


def test_an_unknown_key_at_the_top(failure: Failure) -> None:
    (fault,) = failure("sed=1")
    assert fault == f"--set sed=1: a recipe has no `sed`; it has {', '.join(KEYS)}\nDid you mean `seed`?"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("batch_size", "Did you mean `train.batch_size`?"),
        ("learning_rate", "Did you mean `optimizer.learning_rate`?"),
        ("steps", "Did you mean `train.steps`?"),
        ("metrics", "Did you mean `evaluate.metrics`?"),
        ("extend", "Did you mean `extends`?"),
        ("generater", "Did you mean `generator`?"),
    ],
)
def test_an_unknown_key_at_the_top_may_belong_into_a_table(failure: Failure, key: str, hint: str) -> None:
    (fault,) = failure(f"{key}=4")
    assert fault.endswith(hint)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("lr", "Here, that is `optimizer.learning_rate`."),
        ("optimizer.lr", "Here, that is `optimizer.learning_rate`."),
        ("optimizer.beta1", "Here, that is the first of `optimizer.betas`."),
        ("train.load_size", "Here, that is `augment.jitter.amount`: load_size / crop_size - 1, 0.117 for 286 and 256."),
        ("generator.ngf", "Here, that is `generator.channels`."),
        ("data.batch_size", "Did you mean `train.batch_size`?"),
        ("losses.near.learning_rate", "Did you mean `optimizer.learning_rate`?"),
        ("train.seed", "Did you mean `seed`, above the first table?"),
    ],
)
def test_an_unknown_key_is_told_its_name_and_table_here(failure: Failure, key: str, hint: str) -> None:
    (fault,) = failure(f"{key}=4")
    assert fault.endswith(f"\n{hint}")


def test_what_a_recipe_extends_cannot_be_set(failure: Failure) -> None:
    assert failure("extends=unet_facades") == ["--set extends=unet_facades: `extends` is only valid in a recipe file"]


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_key_in_every_table_of_the_framework(failure: Failure, table: str) -> None:
    needed = {"ema": ["ema.horizon=1"]}.get(table, [])
    (fault,) = failure(f"{table}.nonsense=1", *needed)
    assert fault.startswith(f"--set {table}.nonsense=1: [{table}] has no setting `nonsense`; it takes ")


def test_an_unknown_key_is_shown_with_the_nearest(failure: Failure) -> None:
    (fault,) = failure(size="sise = 8\n")
    assert fault.split("\n") == [
        "r.toml:8:1: [input] has no setting `sise`; it takes direction, size, scale, resize, range_a, range_b",
        "  8 | sise = 8",
        "    | ^^^^",
        "Did you mean `size`?",
    ]


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("seed=-1", "`seed`: expected an integer of at least 0 and below 9223372036854775808, got -1"),
        ("seed=true", "got true"),
        ("seed=1.0", "got 1.0"),
        ("title=3", "`title`: expected text, got 3"),
        ("train.steps=0", "`steps`: expected an integer of at least 1, got 0"),
        ("train.steps=true", "got true"),
        ("train.device=gpu", '`device`: expected "auto", "cpu", "cuda" or "mps", got "gpu"'),
        ("train.threads=0", "`threads`: expected an integer of at least 1 and of at most 1024, got 0"),
        ("input.size=[8]", "got [8]"),
        ("input.size=[8, 0]", "got 0 as size[1]"),
        ("input.size=[8, 8, 8]", "got [8, 8, 8]"),
        ("input.resize=fit", '`resize`: expected "stretch", "crop", "pad" or "none", got "fit"'),
        ("input.range_a=[nan, 1.0]", "got nan as range_a[0]"),
        ("optimizer.learning_rate=2e-4f", '`learning_rate`: expected a number above 0, got "2e-4f"'),
        ("optimizer.learning_rate=inf", "got inf"),
        ("optimizer.betas=[0.5, 1.5]", "got 1.5 as betas[1]"),
        ("optimizer.betas=0.5,0.9", 'got "0.5,0.9"'),
        ("schedule={name='linear', start=1}", "`start`: expected a number of at least 0 and below 1, got 1"),
        ("losses.near.weight=-0.5", "`weight`: expected a number of at least 0, got -0.5"),
        ("losses.near.weight=true", "got true"),
        ("losses.near.weight='1'", 'got "1"'),
        ("losses.near.weight=nan", "got nan"),
        ("losses.near.weight=inf", "got inf"),
        ("generator.width=2.0", "`width`: expected an integer, got 2.0"),
        ("generator.width={ a = 1 }", "got { a = 1 }"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_valid(failure: Failure, assignment: str, what: str) -> None:
    (fault,) = failure(assignment)
    first = fault.split("\n")[0]
    assert first.startswith(f"--set {assignment}: `")
    assert ": expected " in first
    assert first.endswith(what)


@pytest.mark.parametrize(
    ("assignment", "what", "hint"),
    [
        ("train=3", "`train`: expected a table, got 3", None),
        ("generator=net", '`generator`: expected a table, got "net"', 'To name the component: generator.name = "net"'),
        ("data=x", '`data`: expected a table, got "x"', 'To name the component: data.name = "x"'),
        ("losses=3", "`losses`: expected a table, got 3", "Each of them has a table of its own: [losses.NAME]."),
        ("losses.near=50", "`losses.near`: expected a table, got 50", "To set its weight: losses.near.weight = 50"),
        (
            "losses.near=true",
            "`losses.near`: expected a table, got true",
            "Use {} for its defaults, or false to remove it.",
        ),
        (
            "listeners.log=[]",
            "`listeners.log`: expected a table, got []",
            "Use {} for its defaults, or false to remove it.",
        ),
        (
            'evaluate.metrics=["far"]',
            '`evaluate.metrics`: expected a table, got ["far"]',
            "Each of them has a table of its own: [evaluate.metrics.NAME].",
        ),
        (
            "evaluate.metrics.far=1",
            "`evaluate.metrics.far`: expected a table, got 1",
            "Use {} for its defaults, or false to remove it.",
        ),
    ],
)
def test_a_value_in_the_place_of_a_table_is_told_once(
    failure: Failure, assignment: str, what: str, hint: str | None
) -> None:
    assert failure(assignment) == ["\n".join(filter(None, [f"--set {assignment}: {what}", hint]))]


def test_a_table_that_is_missing_is_missing_from_the_file(failure: Failure, recipe_text: str) -> None:
    text = recipe_text.split("[train]")[0]
    assert failure(text=text) == [
        "r.toml: [train] needs `steps`: an integer of at least 1\n"
        "steps: The length of the training; schedules follow it."
    ]


def test_an_empty_recipe_lacks_four_things(failure: Failure) -> None:
    assert [fault.split("\n")[0] for fault in failure(text="")] == [
        "r.toml: [train] needs `steps`: an integer of at least 1",
        "r.toml: `data` needs the `name` of a dataset: last, memory",
        "r.toml: `method` needs the `name` of a method: alone, game, sorting, teacher",
        "r.toml: `generator` needs the `name` of a generator: deep_net, net, pretrained",
    ]


def test_a_component_without_a_name(failure: Failure) -> None:
    (fault,) = failure(generator="[generator]\nwidth = 2\n")
    assert fault.startswith("r.toml:13:2: `generator` needs the `name` of a generator: deep_net, net, pretrained\n")


def test_an_unknown_component(failure: Failure) -> None:
    (fault,) = failure(generator='[generator]\nname = "nett" # a net\n')
    assert fault.split("\n") == [
        'r.toml:14:8: no plugin gives a generator "nett"; there are deep_net, net, pretrained',
        '  14 | name = "nett" # a net',
        "     |        ^^^^^^",
        "Did you mean `net`?",
    ]


def test_an_unknown_label_is_an_unknown_component(failure: Failure) -> None:
    (fault,) = failure(metric="[evaluate.metrics.fra]\n")
    assert fault.split("\n")[0] == 'r.toml:31:2: no plugin gives a metric "fra"; there are far'
    (fault,) = failure("losses.more.weight=2")
    assert fault == '--set losses.more.weight=2: no plugin gives a loss "more"; there are fool, near'


def test_a_misspelt_key_beside_the_metrics(failure: Failure) -> None:
    (fault,) = failure("evaluate.metrcs.far={}")
    assert fault.endswith("Did you mean `metrics`?")


def test_a_misspelt_weight(failure: Failure) -> None:
    (fault,) = failure("losses.near.wieght=3")
    assert fault.endswith('loss "near" has no setting `wieght`; it takes power, name, weight\nDid you mean `weight`?')


SOURCES = """\
[data]
name = "last"
[[data.sources]]
name = "memory"
[[data.sources]]
name = "memory"
count = -1
[[data.sources]]
count = 3
[[data.sources]]
name = "memory"
cuont = 3
"""


def test_faults_in_an_array_are_shown_in_their_elements(failure: Failure) -> None:
    faults = failure(data=SOURCES)
    assert [fault.split("\n")[0] for fault in faults] == [
        "r.toml:9:9: `count`: expected an integer of at least 1, got -1",
        "r.toml:10:3: `data.sources[2]` needs the `name` of a dataset: last, memory",
        'r.toml:14:1: dataset "memory" has no setting `cuont`; it takes count, odd, channels, name',
    ]


def test_faults_in_an_array_on_one_line_are_shown_in_their_elements(failure: Failure) -> None:
    sources = 'sources = [{ name = "memory" }, { name = "memory", count = 0 }]'
    (fault,) = failure(data=f'[data]\nname = "last"\n{sources}\n')
    place, line, carets = fault.split("\n")[:3]
    assert place == f"r.toml:5:{sources.index('0 }') + 1}: `count`: expected an integer of at least 1, got 0"
    assert carets.index("^") == line.index("0 }")


def test_faults_in_a_set_array_say_where_in_it(failure: Failure) -> None:
    assignment = 'data.sources=[{ name = "memory" }, 3]'
    (fault,) = failure("data.name=last", assignment)
    assert fault.split("\n")[0] == (
        f"--set {assignment}: `sources`: expected a list of tables, each with the `name` of a dataset (not empty),"
        " got 3 as sources[1]"
    )


def test_a_renamed_component_lacks_what_the_old_one_had(failure: Failure) -> None:
    (fault,) = failure("data.name=last")
    assert fault.split("\n") == [
        '--set data.name=last: dataset "last" needs `sources`: a list of tables, each with the `name` of a dataset'
        " (not empty)",
        "sources: where pairs may come from.",
    ]


def test_an_adversarial_loss_without_a_discriminator(failure: Failure) -> None:
    (fault,) = failure(discriminator="")
    assert fault.split("\n") == [
        "r.toml:21:2: the loss `play` needs a discriminator, and the recipe has none",
        "  21 | [losses.play]",
        "     |  ^^^^^^^^^^^",
        "Add a table [discriminator] with a `name` (judge), or drop the loss with losses.play.weight = 0.",
    ]


def test_a_loss_on_one_line_is_at_fault_as_such(failure: Failure) -> None:
    (fault,) = failure(discriminator="", near="[losses]\n", play='play = { name = "fool" }\n')
    assert fault.split("\n")[1:3] == ['  20 | play = { name = "fool" }', "     | ^^^^"]


def test_an_adversarial_loss_with_a_method_that_has_no_discriminator(failure: Failure) -> None:
    (fault,) = failure("method.name=alone")
    first, *_, hint = fault.split("\n")
    assert first == "r.toml:23:2: the loss `play` needs a discriminator, which the method does not use"
    assert hint == "Choose another method, or drop the loss with losses.play.weight = 0."


def test_a_metrics_label_with_a_slash_could_be_another_ones_score(failure: Failure) -> None:
    (fault,) = failure('evaluate.metrics."far/off"={name="far"}')
    assert "invalid label `far/off`: a slash separates a metric's label from its scores" in fault


def test_losses_and_metrics_of_images_with_a_method_that_predicts_classes(failure: Failure) -> None:
    loss, metric = failure("method.name=sorting", "losses.play=false")
    assert 'loss "near" takes images, and method "sorting" predicts classes' in loss
    assert loss.endswith("Remove it with losses.near = false.")
    assert 'metric "far" takes images, and method "sorting" predicts classes' in metric
    assert metric.endswith("Remove it with evaluate.metrics.far = false.")


def test_faults_of_a_discriminator_that_is_not_needed_are_told(failure: Failure) -> None:
    assert len(failure("losses.play=false", "discriminator.least=x")) == 1


def test_components_are_only_looked_for_in_the_plugins_given(failure: Failure) -> None:
    (fault,) = failure("generator.name=unet")
    assert 'no plugin gives a generator "unet"' in fault


# The recipes that ship, with the components that do.


@pytest.fixture(scope="module")
def first_party() -> Components:
    return Components(find_plugins())


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_recipe_resolves(
    name: str, first_party: Components, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = resolve(load_recipe(name), first_party)
    assert list(recipe.networks) == list(recipe.roles)
    assert all(weight.to > 0 for weight in recipe.weights.values())


def test_the_main_recipe_says_what_the_paper_says(first_party: Components) -> None:
    recipe = resolve(load_recipe("unet_facades"), first_party)
    optimizer, train = recipe.optimizers["generator"].config, recipe.settings.train
    assert [optimizer.settings[name] for name in ("learning_rate", "betas")] == [2e-4, (0.5, 0.999)]
    assert optimizer.component.full_name == "genlab:adam"
    assert (train.steps, train.batch_size) == (80_000, 1)
    assert recipe.networks["discriminator"].settings["receptive_field"] == 70
    assert recipe.networks["generator"].settings["levels"] == 8


def test_the_recipe_without_skips_differs_by_them_alone(first_party: Components) -> None:
    with_skips, without = (
        resolve(load_recipe(name), first_party).tables() for name in ("unet_facades", "encoder_decoder_facades")
    )
    differing: dict[str, Any] = {key for key in with_skips if with_skips[key] != without[key]}  # pyright: ignore
    assert differing == {"title", "generator"}
    skips = with_skips["generator"].pop("skips")
    assert skips is True
    assert {**with_skips["generator"], "name": ""} == {**without["generator"], "name": ""}


def test_the_template_for_own_pairs_takes_them_from_here(
    first_party: Components, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = resolve(load_recipe("unet_folder"), first_party)
    assert recipe.data.settings["root"] == tmp_path / "my_pairs"
    assert set(recipe.data.settings) == {"root", "train", "validation", "test", "alpha", "max_pixels"}


@pytest.mark.parametrize(
    "assignments",
    [
        ["checkpoint.best=validation/far", "checkpoint.best=false"],
        ["checkpoint.best=validation/far", "train.patience=3", "checkpoint={best=false}", "train.patience=false"],
        ["optimizer.generator.learning_rate=1", "optimizer.generator=false"],
        ["schedule.generator.warmup=1", "schedule.generator=false"],
    ],
)
def test_false_drops_what_a_recipe_inherits(resolved: Resolved, assignments: list[str]):
    assert resolved(*assignments).tables() == resolved().tables()
