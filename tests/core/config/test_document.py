import json
from pathlib import Path
from typing import Any

import pytest

from genlab import RecipeError
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document, read_document, read_file
from genlab.errors import Fault

BASE = """\
seed = 1
[data]
name = "folder"
root = "pairs"
[generator]
name = "unet"
levels = 8
skips = [1, 2, 3]
[losses.l1]
weight = 100
scale = 2
[losses.texture]
name = "gram"
layers = 3
[optimizer]
name = "adam"
betas = [0.5, 0.999]
[train]
steps = 10
"""


def merged(over: str, base: str = BASE) -> Document:
    return read_document(over, "child.toml").over(read_document(base, "base.toml"))


def origin(document: Document, *keys: str | int) -> str | None:
    source = document.origin(keys)
    return source and source.name


def test_tables_merge_key_by_key() -> None:
    document = merged('[generator]\nlevels = 4\nnorm = "none"\n[train.more]\nx = 1')
    assert document.values["generator"] == {"name": "unet", "levels": 4, "skips": [1, 2, 3], "norm": "none"}
    assert document.values["train"] == {"steps": 10, "more": {"x": 1}}
    assert document.values["seed"] == 1


def test_arrays_are_replaced() -> None:
    assert merged("generator.skips = [5]").values["generator"]["skips"] == [5]


def test_neither_document_is_changed() -> None:
    base, over = read_document(BASE, "base.toml"), read_document("[generator]\nlevels = 4", "child.toml")
    over.over(base)
    assert base.values == read_document(BASE, "base.toml").values
    assert over.values == {"generator": {"levels": 4}}


def test_a_component_of_another_name_starts_afresh() -> None:
    document = merged('[generator]\nname = "resnet"\nblocks = 9')
    assert document.values["generator"] == {"name": "resnet", "blocks": 9}
    assert origin(document, "generator", "levels") == "child.toml"


def test_a_component_of_the_same_name_goes_on() -> None:
    assert merged('generator.name = "unet"').values["generator"]["levels"] == 8


@pytest.mark.parametrize(
    ("before", "now", "goes_on"),
    [
        ("unet", "genlab:unet", True),
        ("genlab:unet", "unet", True),
        ("genlab-more:unet", "Genlab_More:unet", True),
        ("genlab:unet", "other:unet", False),
        ("genlab:unet", "resnet", False),
        ("unet", "genlab:resnet", False),
        ("unet", 3, False),
        (3, "unet", False),
    ],
)
def test_a_component_goes_on_with_and_without_its_package(before: object, now: object, goes_on: bool) -> None:
    base = f"[generator]\nname = {json.dumps(before)}\nlevels = 8"
    expected = {"name": now, "levels": 8} if goes_on else {"name": now}
    assert merged(f"generator.name = {json.dumps(now)}", base).values["generator"] == expected


def test_a_label_goes_on_with_the_package_of_its_name() -> None:
    values = merged('losses.l1.name = "genlab:l1"').values
    assert values["losses"]["l1"] == {"weight": 100, "scale": 2, "name": "genlab:l1"}


@pytest.mark.parametrize(
    ("over", "base", "table"),
    [
        ('name = "sgd"', "momentum = 0.9", {"name": "sgd"}),
        ('name = "sgd"', "clip = 1\ndiscriminator = { betas = [0.5, 0.9] }", {"name": "sgd"}),
        ('name = "adam"', "clip = 1", {"name": "adam", "clip": 1}),
        (
            'discriminator.name = "sgd"',
            'discriminator = { name = "adam", clip = 1 }',
            {"discriminator": {"name": "sgd"}},
        ),
        ("discriminator.clip = 2", "clip = 1", {"clip": 1, "discriminator": {"clip": 2}}),
    ],
)
def test_a_table_of_a_kind_with_a_default_is_its_unless_it_has_a_name(over: str, base: str, table: Any) -> None:
    assert merged(f"[optimizer]\n{over}", f"[optimizer]\n{base}").values["optimizer"] == table


def test_a_table_of_the_framework_goes_on_whatever_it_has_as_a_name() -> None:
    assert merged('train.name = "b"', '[train]\nname = "a"\nsteps = 3').values["train"] == {"name": "b", "steps": 3}


@pytest.mark.parametrize(
    ("over", "table"),
    [
        ('losses.l1.name = "l1"', {"weight": 100, "scale": 2, "name": "l1"}),
        ('losses.l1.name = "l2"', {"name": "l2"}),
        ('losses.texture.name = "gram"', {"name": "gram", "layers": 3}),
        ('losses.texture.name = "texture"', {"name": "texture"}),
        ("losses.l1.weight = 1", {"weight": 1, "scale": 2}),
    ],
)
def test_a_label_is_the_name_unless_it_has_another(over: str, table: dict[str, Any]) -> None:
    assert merged(over).values["losses"][over.split(".")[1]] == table


def test_a_component_among_the_settings_starts_afresh_too() -> None:
    base = '[data]\nname = "cropped"\n[data.inner]\nname = "folder"\nroot = "pairs"'
    values = merged('[data.inner]\nname = "drawn"\ncount = 3', base).values
    assert values["data"] == {"name": "cropped", "inner": {"name": "drawn", "count": 3}}


def test_a_value_may_become_a_table_and_a_table_a_value() -> None:
    document = merged("generator = 3\n[seed]\nx = 1")
    assert document.values["generator"] == 3
    assert document.values["seed"] == {"x": 1}
    assert origin(document, "generator", "levels") == "child.toml"
    assert origin(document, "seed", "x") == "child.toml"


def test_every_value_knows_its_source() -> None:
    document = merged("[generator]\nlevels = 4\n[listeners.console]").over(read_document("[inference]", "top.toml"))
    assert origin(document, "generator") == "base.toml"
    assert origin(document, "generator", "name") == "base.toml"
    assert origin(document, "generator", "skips", 1) == "base.toml"
    assert origin(document, "generator", "levels") == "child.toml"
    assert origin(document, "listeners", "console") == "child.toml"
    assert origin(document, "inference", "dropout") == "top.toml"
    assert origin(document, "checkpoint") is None
    assert document.name == "child.toml"


def test_a_renamed_component_has_its_source_where_it_was_renamed() -> None:
    document = merged('[data]\nname = "drawn"')
    assert origin(document, "data") == "child.toml"
    assert document.origins.keys().isdisjoint({("data", "root")})


def test_a_file_is_called_as_one_would_type_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here" / "below"
    folder.mkdir(parents=True)
    (folder / "r.toml").write_text("seed = 1")
    monkeypatch.chdir(tmp_path / "here")
    assert read_file(folder / "r.toml").name == str(Path("below", "r.toml"))
    assert read_file(Path("below/../below/r.toml")).name == "below/../below/r.toml"
    monkeypatch.chdir(folder)
    assert read_file(tmp_path / "here" / "below" / "r.toml").name == "r.toml"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_file(folder / "r.toml").name == str(folder / "r.toml")


def test_a_file_from_windows_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    document = read_file(path)
    assert document.values == read_document(BASE, "").values
    place = document.origins["generator", "levels"].locations["generator", "levels"]
    assert (place.line, place.column) == (7, 1)


def test_what_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.toml").write_bytes("title = 'Größe'".encode("latin-1"))
    with pytest.raises(RecipeError, match=r"^latin\.toml: cannot be read: is not UTF-8 text$"):
        read_file(Path("latin.toml"))
    with pytest.raises(RecipeError, match=r"^\.: cannot be read: Is a directory$"):
        read_file(tmp_path)


def test_a_table_as_a_document_of_its_own_knows_where_it_was_written() -> None:
    arms = read_document("[arms.small]\ngenerator.levels = 4\n\n[arms.small.train]\nsteps = 5\n", "arms.toml")
    small = arms.below(("arms", "small"))
    assert small.values == {"generator": {"levels": 4}, "train": {"steps": 5}}
    document = small.over(read_document(BASE, "base.toml"))
    assert document.values["generator"]["levels"] == 4
    faults = [Fault(("generator", "levels"), "no"), Fault(("train", "steps"), "no"), Fault(("seed",), "no")]
    locations = [fault.place for fault in recipe_error(faults, document).faults]
    assert locations == ["arms.toml:2:20", "arms.toml:5:9", "base.toml:1:8"]


def test_a_table_taken_out_leaves_no_trace() -> None:
    document = merged("[ablation]\nseeds = [1]")
    rest = document.without("ablation")
    assert rest.values == read_document(BASE, "base.toml").values
    assert not any(keys[0] == "ablation" for keys in rest.origins)
