from pathlib import Path

import pytest

from genlab import RecipeError
from genlab.config.builtin import shipped_names
from genlab.config.diagnostics import recipe_error
from genlab.config.load import find_recipe, load_recipe
from genlab.errors import Fault


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def failure(recipe: str, *assignments: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe, assignments)
    return str(caught.value).split("\n")


def test_a_recipe_lies_over_the_one_it_extends() -> None:
    write("base.toml", 'title = "Base"\nseed = 1\n[train]\nsteps = 10')
    write("child.toml", 'extends = "base.toml"\ntitle = "Child"\ntrain.batch_size = 4')
    assert load_recipe("child.toml").values == {"title": "Child", "seed": 1, "train": {"steps": 10, "batch_size": 4}}


def test_assignments_lie_over_all() -> None:
    write("base.toml", "seed = 1\ntrain.steps = 10")
    write("child.toml", 'extends = "base.toml"\nseed = 2')
    assert load_recipe("child.toml", ["seed=3", "train.steps=5"]).values == {"seed": 3, "train": {"steps": 5}}


def test_in_a_chain_every_value_knows_its_own_file() -> None:
    write("a/base.toml", "\n[train]\nsteps = -1\nbatch_size = 2\n[input]\nsize = 3")
    write("b/middle.toml", 'extends = "../a/base.toml"\n[input]\nsize = -2')
    write("b/top.toml", 'extends = "middle.toml"\ntrain.batch_size = 0\n')
    document = load_recipe("b/top.toml", ["input.scale=3"])
    keys = [("train", "steps"), ("train", "batch_size"), ("input", "size"), ("input", "scale"), ("data",)]
    error = recipe_error([Fault(path, "wrong") for path in keys], document)
    assert [fault.place for fault in error.faults] == [
        "--set input.scale=3",
        "b/../a/base.toml:3:9",
        "b/middle.toml:3:8",
        "b/top.toml",
        "b/top.toml:2:20",
    ]
    assert error.faults[1].quote == "  3 | steps = -1\n    |         ^^"


def test_the_parent_is_seen_from_the_recipe_not_from_here() -> None:
    write("recipes/base.toml", "seed = 1")
    write("base.toml", "seed = 2")
    write("recipes/child.toml", 'extends = "base.toml"')
    assert load_recipe("recipes/child.toml").values == {"seed": 1}


@pytest.mark.parametrize("name", ["unet_facades", "unet_facades.toml"])
def test_a_shipped_recipe_can_be_extended_by_name(name: str) -> None:
    write("child.toml", f'extends = "{name}"\nseed = 7')
    values = load_recipe("child.toml").values
    assert values["seed"] == 7
    assert values["generator"]["name"] == "genlab:unet"


def test_a_file_beside_hides_a_shipped_recipe_of_its_name() -> None:
    write("unet_facades.toml", "seed = 1")
    write("child.toml", 'extends = "unet_facades.toml"')
    assert load_recipe("child.toml").values == {"seed": 1}


@pytest.mark.parametrize(
    ("extends", "hint"),
    [
        ("bsae.toml", "Did you mean `base.toml`?"),
        ("base", "Did you mean `base.toml`?"),
        ("unet_facads", "Did you mean `unet_facades`?"),
        ("zzz/zzz", None),
        ("", None),
        ("xx", None),
        (r"..\new.toml", """In "..." a backslash starts an escape sequence: write '..\\new.toml' or "../new.toml"."""),
    ],
)
def test_a_parent_that_is_not_there(extends: str, hint: str | None) -> None:
    write("base.toml", "seed = 1")
    write("xx/x.toml", "")
    write("child.toml", f'title = "x"\nextends = "{extends}"\n')
    lines = failure("child.toml")
    what = f'no recipe "{extends}", neither as a file relative to this one nor among the built-in recipes'
    assert lines[:3] == [
        f"child.toml:2:11: {what}",
        f'  2 | extends = "{extends}"',
        f"    |           {'^' * (len(extends) + 2)}",
    ]
    assert lines[3:] == ([hint] if hint else [])


@pytest.mark.parametrize("value", ["3", '["base.toml"]', "{ a = 1 }", "true"])
def test_a_parent_is_one_text(value: str) -> None:
    write("child.toml", f"extends = {value}")
    assert failure("child.toml")[0] == (
        f"child.toml:1:11: `extends`: expected the path or name of one recipe, got {value}"
    )


def test_a_circle_is_shown_where_it_closes() -> None:
    write("a.toml", 'extends = "b.toml"')
    write("b.toml", 'seed = 1\nextends = "./c.toml"')
    write("c.toml", '# back\n\nextends = "a.toml"')
    what = "a recipe cannot extend itself: a.toml extends b.toml extends c.toml extends a.toml"
    assert failure("a.toml")[0] == f"c.toml:3:11: {what}"


def test_a_recipe_that_extends_itself() -> None:
    write("a.toml", 'extends = "a.toml"')
    assert failure("a.toml")[0] == "a.toml:1:11: a recipe cannot extend itself: a.toml extends a.toml"


def test_two_paths_to_one_recipe_are_no_circle() -> None:
    write("base.toml", "seed = 1")
    write("copy.toml", 'extends = "base.toml"')
    write("child.toml", 'extends = "copy.toml"')
    assert load_recipe("child.toml").values == {"seed": 1}


def test_what_is_no_toml_in_a_parent_is_shown_there() -> None:
    write("base.toml", "seed = 1\n[train\n")
    write("child.toml", 'extends = "base.toml"')
    assert failure("child.toml")[0] == "base.toml:2:7: expected `]` after the table's name"


def test_the_child_of_a_renamed_component_starts_afresh_in_the_middle_of_a_chain() -> None:
    write("base.toml", '[generator]\nname = "unet"\nlevels = 8\nchannels = 64')
    write("middle.toml", 'extends = "base.toml"\n[generator]\nname = "resnet"\nblocks = 9')
    write("top.toml", 'extends = "middle.toml"\n[generator]\nname = "unet"\nlevels = 4')
    assert load_recipe("middle.toml").values["generator"] == {"name": "resnet", "blocks": 9}
    assert load_recipe("top.toml").values["generator"] == {"name": "unet", "levels": 4}


def test_a_recipe_is_a_file_or_one_that_ships(here: Path) -> None:
    file = write("mine.toml", "")
    assert find_recipe("mine.toml") == Path("mine.toml")
    assert find_recipe(here / "mine.toml") == file.absolute()
    assert find_recipe("unet_facades") == find_recipe("unet_facades.toml")
    write("unet_facades.toml", "")
    assert find_recipe("unet_facades.toml") == Path("unet_facades.toml")


def test_a_folder_with_a_recipe_names_it(here: Path) -> None:
    (here / "run").mkdir()
    (here / "run" / "recipe.toml").touch()
    assert failure("run") == ["run: this is a folder, not a recipe", f"Its recipe is {Path('run') / 'recipe.toml'}."]


def test_a_path_below_the_home_is_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("mine.toml", "seed = 4")
    monkeypatch.setenv("HOME", str(here))
    assert load_recipe("~/mine.toml").values == {"seed": 4}


@pytest.mark.parametrize(
    ("recipe", "hint"),
    [
        ("unet_facads", "Did you mean `unet_facades`?"),
        ("recipes/unet_facade.toml", "Did you mean `unet_facades`?"),
        ("zzz.toml", f"Built-in recipes: {', '.join(shipped_names())}."),
        ("xx", f"Built-in recipes: {', '.join(shipped_names())}."),
    ],
)
def test_a_recipe_that_is_not_there(recipe: str, hint: str) -> None:
    Path("xx").mkdir()
    assert failure(recipe) == [f"{recipe}: no such file, and no built-in recipe of that name", hint]
