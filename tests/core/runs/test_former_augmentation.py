"""Runs from before settings moved: they open and resume, and have the draws that they had."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.checkpoints import tensor_digests
from tests.conftest import Once
from tests.manifests import edit_manifest

import genlab
from genlab import RunError
from genlab.runs.former_recipes import upgraded


def tables(run: Path) -> dict[str, Any]:
    return tomllib.loads((run / "recipe.toml").read_text())


@pytest.fixture
def paused(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run after 4 of 8 steps."""
    whole = once("paused-tiny", lambda folder: genlab.train(tiny, out=folder, stop_at=4))
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture
def former(paused: Path) -> Path:
    """One of when crops and flips were settings of `[input]`."""
    recipe = tables(paused)
    del recipe["augment"], recipe["input"]["resize"]
    recipe["input"] |= {"jitter": 0.125, "flip": True}
    (paused / "recipe.toml").write_text(tomli_w.dumps(recipe))
    edit_manifest(paused, recipe=recipe)
    return paused


def test_it_opens_and_resumes_as_if_nothing_had_been(former: Path, tiny: Path, tmp_path: Path, once: Once) -> None:
    now = shutil.copytree(former, tmp_path / "opened")
    recipe = genlab.open_run(now).recipe.tables()
    assert recipe["augment"] == {
        "jitter": {"name": "genlab:jitter", "amount": 0.125},
        "flip": {"name": "genlab:flip"},
    }
    assert tables(now) == tables(former), "to look at a run changes nothing of it"
    whole = once("finished-tiny", lambda folder: genlab.train(tiny, out=folder))
    resumed = genlab.resume(former)
    assert tensor_digests(former) == tensor_digests(whole)
    assert tables(former) == tables(whole) == recipe
    assert resumed.manifest.recipe_changes == []


def test_an_edit_of_it_is_refused_as_of_any(former: Path) -> None:
    text = (former / "recipe.toml").read_text()
    (former / "recipe.toml").write_text(text.replace("jitter = 0.125", "jitter = 0.25"))
    with pytest.raises(RunError, match=r"input\.jitter: 0\.125 -> 0\.25"):
        genlab.open_run(former)


def test_a_process_that_was_killed_while_it_replaced_its_recipe_has_replaced_it(former: Path) -> None:
    old = tables(former)
    edit_manifest(former, recipe={**old, "title": "New"}, replaced_recipe=old)
    assert genlab.resume(former).recipe.title == "New"


@pytest.mark.parametrize(
    ("settings", "augment"),
    [
        ({"jitter": 0.0, "flip": False}, None),
        ({"jitter": 0.5, "flip": False}, ["jitter"]),
        ({"jitter": 0.0, "flip": True}, ["flip"]),
        ({"size": 8}, None),
    ],
)
def test_what_was_off_stays_away(settings: dict[str, Any], augment: list[str] | None) -> None:
    found = upgraded({"input": settings})
    assert list(found.get("augment", {})) == (augment or [])
    assert not found["input"].keys() & {"jitter", "flip"}


def test_a_recipe_of_today_stays_as_it_is(former: Path) -> None:
    today = genlab.open_run(former).recipe.tables()
    assert upgraded(today) == today


def test_the_order_of_augmentations_is_a_part_of_the_recipe(paused: Path) -> None:
    recipe = tables(paused)
    recipe["augment"] = dict(reversed(recipe["augment"].items()))
    (paused / "recipe.toml").write_text(tomli_w.dumps(recipe))
    with pytest.raises(RunError, match=r'augment \(order\): \["jitter", "flip"\] -> \["flip", "jitter"\]'):
        genlab.resume(paused)
