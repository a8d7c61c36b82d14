"""A resolved recipe as text: complete, and read back as the same."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from genlab.assemble.recipe import Recipe, without_nothing
from genlab.assemble.resolve import KEYS, resolve
from genlab.config.builtin import shipped_names
from genlab.config.document import Document, read_document
from genlab.config.load import load_recipe
from genlab.config.render import listing
from genlab.config.schema import OPTIONAL_TABLES
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins

Resolved = Callable[..., Recipe]

VARIANTS: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "without the game": ("losses.play=false",),
    "without listeners and metrics": ("listeners.log=false", "evaluate.metrics.far=false"),
    "with labels to be quoted": ('losses."a b".name=near', 'losses."a b".weight=1e-8'),
    "with sources": ("data.name=last", 'data.sources=[{ name = "memory" }, { name = "memory", odd = true }]'),
    "with an average": ("ema.horizon=100",),
    "with other types": ("input.size=[8, 16]", "train.threads=2", "seed=9223372036854775807", 'title=two\nlines "ä"'),
}


@pytest.mark.parametrize("assignments", VARIANTS.values(), ids=VARIANTS)
def test_it_reads_back_as_the_same(resolved: Resolved, assignments: tuple[str, ...]) -> None:
    recipe = resolved(*assignments)
    again = resolved(text=recipe.toml())
    assert again.tables() == recipe.tables()
    assert again.toml() == recipe.toml()


@pytest.mark.parametrize("name", shipped_names())
def test_what_ships_reads_back_as_the_same_from_anywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    components = Components(find_plugins())
    recipe = resolve(load_recipe(name), components)
    monkeypatch.chdir(tmp_path)
    assert resolve(read_document(recipe.toml(), "recipe.toml"), components).tables() == recipe.tables()


def test_its_tables_come_in_the_order_of_a_recipe(resolved: Resolved) -> None:
    unset = {"networks", "init", *OPTIONAL_TABLES}
    assert (*resolved("augment.cut={}").tables(), "ablation") == tuple(key for key in KEYS if key not in unset)


def test_it_says_every_default(resolved: Resolved) -> None:
    tables = resolved().tables()
    assert tables["generator"] == {"name": "genlab-toys:net", "width": 2, "depth": 0, "multiple": 4}
    assert tables["losses"] == {
        "near": {"name": "genlab-toys:near", "power": 1, "weight": 100.0},
        "play": {"name": "genlab-toys:fool", "weight": 1.0},
    }
    assert tables["evaluate"]["metrics"] == {"far": {"name": "genlab-toys:far", "window": 1}}
    assert tables["inference"] == {"weights": "plain", "normalization": "image", "dropout": False, "seed": 0}


@pytest.mark.parametrize(
    ("asked", "batch_size", "chosen"),
    [("auto", 1, "image"), ("auto", 2, "running"), ("image", 2, "image"), ("running", 1, "running")],
)
def test_normalization_is_chosen_by_the_batch_size(
    resolved: Resolved, asked: str, batch_size: int, chosen: str
) -> None:
    recipe = resolved(f"inference.normalization={asked}", f"train.batch_size={batch_size}")
    assert recipe.tables()["inference"]["normalization"] == chosen


def test_what_is_left_to_the_machine_is_left_out_until_it_is_settled(resolved: Resolved) -> None:
    text = 'device = "auto"'
    recipe = resolved("train.device=auto", "train.threads=3")
    assert text in recipe.toml()
    chosen = {"device": "cpu", "threads": 2, "precision": "float32", "compile": False}
    settled = recipe.settled(recipe.data, recipe.settings.train.model_copy(update=chosen))
    assert settled.tables()["train"] == {**recipe.tables()["train"], **chosen}
    assert recipe.settings.train.device == "auto"


def test_settled_data_take_the_place_of_the_choice(resolved: Resolved) -> None:
    recipe = resolved("data.name=last", 'data.sources=[{ name = "memory" }, { name = "memory", count = 7 }]')
    settled = recipe.settled(recipe.data.settings["sources"][1], recipe.settings.train)
    assert settled.tables()["data"] == {"name": "genlab-toys:memory", "count": 7, "odd": False, "channels": 3}


def test_its_components_are_all_that_take_part(resolved: Resolved) -> None:
    recipe = resolved("losses.play=false", "data.name=last", 'data.sources=[{ name = "memory" }]')
    assert sorted(component.name for component in recipe.components()) == [
        "adam", "constant", "far", "game", "last", "log", "memory", "near", "net",
    ]  # fmt: skip
    assert {component.plugin.package for component in recipe.components()} == {"genlab", "genlab-toys"}


def test_the_listing_of_a_resolved_recipe_is_the_recipe(document: Callable[..., Document], resolved: Resolved) -> None:
    assignments = ('losses."a b".name=near', "data.name=last", 'data.sources=[{ name = "memory" }]')
    text = listing(resolved(*assignments).tables(), document(*assignments).place)
    assert tomllib.loads(text) == resolved(*assignments).tables()
    assert any(
        line.startswith('name = "genlab-toys:net" ') and line.endswith("# r.toml:14:1") for line in text.split("\n")
    )


def test_nothing_is_a_key_left_out() -> None:
    assert without_nothing({"a": None, "b": [{"c": None, "d": 1}], "e": {"f": None}}) == {"b": [{"d": 1}], "e": {}}
