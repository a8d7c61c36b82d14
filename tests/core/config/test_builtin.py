import tomllib
from pathlib import Path

import pytest

from genlab.config.builtin import shipped_folder, shipped_names, shipped_recipe
from genlab.config.load import load_recipe


def test_the_recipes_are_the_files_of_the_folder() -> None:
    assert {"unet_facades", "encoder_decoder_facades", "unet_folder"} <= set(shipped_names())
    assert shipped_names() == sorted(path.stem for path in shipped_folder().iterdir())


@pytest.mark.parametrize("name", ["unet_facades", "unet_facades.toml"])
def test_a_recipe_is_found_by_name(name: str) -> None:
    path = shipped_recipe(name)
    assert path == shipped_folder() / "unet_facades.toml"


@pytest.mark.parametrize("name", ["", "unet", "no_such", "../README", "unet_facades.toml.toml"])
def test_another_name_is_none(name: str) -> None:
    assert shipped_recipe(name) is None


@pytest.mark.parametrize("name", shipped_names())
def test_every_recipe_says_what_it_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = load_recipe(name)
    assert len(str(document.values["title"])) > 10
    path = shipped_recipe(name)
    assert path is not None
    text = path.read_text()
    assert text.startswith("# "), "the first line says what the recipe is for"
    assert any(f"{command} {name}" in text for command in ("gen run", "gen ablate", "gen recipes copy"))
    assert "title" in tomllib.loads(text)
