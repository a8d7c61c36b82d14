"""Names of components with their packages: another package that gives the same names breaks no recipe and no run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from tests.conftest import Once
from tests.core.registry.test_discovery import install
from tests.core.test_bad_input import plugin
from tests.manifests import edit_manifest

import genlab
from genlab import RecipeError, RunError
from genlab.config.builtin import shipped_names
from genlab.config.document import read_file
from genlab.registry.discovery.find import find_plugins

ALIKE = """
import genlab

genlab_interface = "1.0"

@genlab.hookimpl
def genlab_register(registry):
"""

LOSS = """
class Half(genlab.Loss):
    def forward(self, condition, target, prediction):
        return (prediction - target).abs().mean() / 2
"""


TWO_WAYS = """
class TwoWays(genlab.Method):
    roles = {"generator": genlab.GENERATOR, "back": genlab.GENERATOR}

    def forward(self, batch): ...

    def phases(self): ...

    def predict(self, condition): ...
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package that gives a component of each name that genlab gives."""
    folder = tmp_path_factory.mktemp("site")
    entries = [entry for found in find_plugins() if found.package == "genlab" for entry in found.registrations]
    lines = [
        f"    registry.{entry.kind.name}({entry.name!r}, {entry.target!r}, **{entry.preset!r})" for entry in entries
    ]
    install(folder, "alike-parts", {"alike": "\n".join([ALIKE, *lines])}, {"alike": "alike"})
    return folder


@pytest.fixture
def alike(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That package, installed from here on."""
    monkeypatch.syspath_prepend(site)


@pytest.fixture
def paused(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run after 4 of 8 steps."""
    whole = once("paused-tiny", lambda folder: genlab.train(tiny, out=folder, stop_at=4))
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture
def paused_before(paused: Path) -> Path:
    """The same as it was written when runs named components without their packages."""
    tables = without_packages(read_file(paused / "recipe.toml").values)
    (paused / "recipe.toml").write_text(tomli_w.dumps(tables))
    edit_manifest(paused, recipe=tables)
    return paused


def component_names(value: Any) -> Iterator[str]:
    """All names with a package in a recipe's tables."""
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from component_names(inner)
    if isinstance(value, Mapping) and ":" in str(value.get("name")):
        yield value["name"]


def without_packages(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_packages(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_packages(inner) for inner in value]
    return value.rpartition(":")[2] if isinstance(value, str) else value


REST = {
    "data": "drawn_facades",
    "augment.jitter": "jitter",
    "augment.flip": "flip",
    "method": "pix2pix",
    "discriminator": "patchgan",
    "losses.l1": "l1",
    "losses.adversarial": "adversarial",
    "optimizer": "adam",
    "schedule": "linear",
    "evaluate.metrics.l1": "l1",
    "listeners.jsonl": "jsonl",
}
NAMES = ["genlab:drawn_facades", "genlab:jitter", "genlab:flip", "genlab:pix2pix", "genlab:unet", "genlab:patchgan"]
NAMES += ["genlab:adversarial", "genlab:l1", "genlab:adam", "genlab:linear"]


def test_a_run_s_recipe_names_packages(paused: Path) -> None:
    names = list(component_names(read_file(paused / "recipe.toml").values))
    assert names == [*NAMES, "genlab:l1", "genlab:jsonl"]


@pytest.mark.usefixtures("alike")
@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_names_genlab_s_own(name: str) -> None:
    recipe = genlab.read_recipe(name).recipe
    assert {component.plugin.package for component in recipe.components()} == {"genlab"}


@pytest.mark.usefixtures("alike")
def test_a_run_from_before_the_other_package_goes_on(paused: Path) -> None:
    done = genlab.resume(paused, overrides=["train.steps=6"])
    assert done.manifest.step == 6
    assert done.predict(np.zeros((36, 36, 3), np.uint8)).shape == (32, 32, 3)


@pytest.mark.usefixtures("alike")
@pytest.mark.parametrize(
    ("assignment", "keys", "name"),
    [
        ("losses.l1.name=l1", ("losses", "l1", "name"), "l1"),
        ("losses.cross_entropy={}", ("losses", "cross_entropy", "name"), "cross_entropy"),
        ("generator.name=unet", ("generator", "name"), "unet"),
        ('data.sources=[{name="drawn_facades"}]', ("data", "sources", 0, "name"), "drawn_facades"),
    ],
)
def test_a_name_without_package_must_be_the_only_one(assignment: str, keys: tuple[str, ...], name: str) -> None:
    with pytest.raises(RecipeError) as caught:
        genlab.read_recipe("unet_facades", overrides=[assignment])
    (fault,) = caught.value.faults
    assert fault.path == keys
    assert f'"genlab:{name}"' in str(fault.hint)
    assert f'"alike-parts:{name}"' in str(fault.hint)


@pytest.mark.usefixtures("alike")
def test_a_name_that_two_packages_give_is_shown_with_its_package() -> None:
    recipe = genlab.read_recipe("unet_facades").recipe
    assert str(recipe.networks["generator"].component) == 'generator "genlab:unet"'


def test_a_name_that_one_package_gives_is_shown_without_it(paused: Path) -> None:
    run = genlab.open_run(paused)
    assert str(run.recipe.networks["generator"].component) == 'generator "unet"'
    assert run.manifest.facts["generator"].startswith("unet, ")
    assert run.manifest.data.source == "drawn_facades"


def test_a_run_from_before_names_had_packages_resumes_and_nothing_counts_as_changed(
    paused: Path, paused_before: Path, tiny: Path, once: Once
) -> None:
    before = genlab.open_run(paused_before)
    assert before.predict(np.zeros((36, 36, 3), np.uint8)).shape == (32, 32, 3)
    done = genlab.resume(paused_before, overrides=["listeners.jsonl=false"])
    assert [change.key for change in done.manifest.recipe_changes] == ["listeners.jsonl.name"]
    whole = genlab.open_run(once("finished-tiny", lambda folder: genlab.train(tiny, out=folder)))
    assert done.metrics == whole.metrics
    assert done.manifest.facts["generator"] == whole.manifest.facts["generator"]
    names = list(component_names(read_file(paused / "recipe.toml").values))
    assert names == [*NAMES, "genlab:l1"]


@pytest.mark.usefixtures("alike")
def test_a_run_from_before_names_had_packages_says_how_to_tell_them_apart(
    paused_before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecipeError, match="GENLAB_PLUGINS"):
        genlab.resume(paused_before)
    monkeypatch.setenv("GENLAB_PLUGINS", "genlab")
    assert genlab.resume(paused_before).manifest.status == "finished"


def test_a_file_is_a_package_by_its_name(tiny: Path, tmp_path: Path) -> None:
    mine = plugin(tmp_path, LOSS, 'loss("l1", Half)')
    run = tmp_path / "run"
    with pytest.raises(RecipeError, match=r'Say which: "genlab:l1" or "mine\.py:l1"'):
        genlab.read_recipe(tiny, plugins=[mine])
    chosen = ["losses.l1.name=mine.py:l1", "evaluate.metrics.l1.name=genlab:l1"]
    genlab.train(tiny, overrides=chosen, plugins=[mine], out=run, stop_at=4)
    mine.unlink()
    resumed = genlab.resume(run, overrides=["title=Mine"])
    assert [change.key for change in resumed.manifest.recipe_changes] == ["title"]
    assert resumed.recipe.losses["l1"].component.cls.__name__ == "Half"
    assert read_file(run / "recipe.toml").values["losses"]["l1"]["name"] == "mine.py:l1"
    # The recipe of a run trains again with the file that the run kept, and says so without it.
    with pytest.raises(RecipeError) as caught:
        genlab.read_recipe(run / "recipe.toml")
    assert "no plugin file `mine.py` is given" in str(caught.value)
    assert "--plugin" in str(caught.value)
    again = genlab.read_recipe(run / "recipe.toml", plugins=[run / "plugins" / "mine.py"])
    assert again.recipe.tables() == resumed.recipe.tables()


@pytest.mark.parametrize(("name", "levels"), [("unet", 4), ("genlab:unet", 4), ("genlab:encoder_decoder", 8)])
def test_a_role_inherits_the_settings_of_the_same_component(tiny: Path, tmp_path: Path, name: str, levels: int) -> None:
    mine = plugin(tmp_path, TWO_WAYS, 'method("two_ways", TwoWays)')
    overrides = ["method.name=two_ways", "generator.name=genlab:unet", "losses.adversarial=false"]
    recipe = genlab.read_recipe(tiny, overrides=[*overrides, f"networks.back.name={name}"], plugins=[mine]).recipe
    assert recipe.networks["back"].settings["levels"] == levels


def test_a_package_that_is_gone_is_named(
    tiny: Path, tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ["generator.name=alike-parts:unet"]
    with monkeypatch.context() as installed:
        installed.syspath_prepend(site)
        qualified = [f"{key}.name=genlab:{name}" for key, name in REST.items()]
        genlab.train(tiny, overrides=[*chosen, *qualified], out=tmp_path / "run", stop_at=1)
    with pytest.raises(RecipeError) as caught:
        genlab.read_recipe(tiny, overrides=chosen)
    (fault,) = caught.value.faults
    assert fault.path == ("generator", "name")
    assert (
        'the generator "alike-parts:unet" is missing: no plugin of a package `alike-parts` is installed' in fault.what
    )
    with pytest.raises(RunError, match=r"made with alike-parts 1\.2, which is not installed"):
        genlab.resume(tmp_path / "run")
