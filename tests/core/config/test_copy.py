from pathlib import Path

import pytest

from genlab import RecipeError
from genlab.config.builtin import shipped_recipe
from genlab.config.copy import copy_recipe
from genlab.config.load import load_recipe
from genlab.errors import GenlabError, StorageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


SCHEMA = b"#:schema ./recipe.schema.json\n"


def test_a_shipped_recipe_is_copied_letter_by_letter_below_its_schema() -> None:
    assert copy_recipe("unet_folder", Path("mine.toml")) == Path("mine.toml")
    source = shipped_recipe("unet_folder")
    assert source is not None
    assert Path("mine.toml").read_bytes() == SCHEMA + source.read_bytes()


def test_a_copy_of_a_recipe_that_extends_a_shipped_one_can_be_read() -> None:
    copy_recipe("unet_folder", Path("mine.toml"))
    assert load_recipe("mine.toml").values["generator"]["name"] == "genlab:unet"


def test_into_a_folder_it_keeps_its_name(here: Path) -> None:
    assert copy_recipe("unet_folder", here) == here / "unet_folder.toml"
    Path("own.toml").write_bytes(b"# \xff is no UTF-8\r\n")
    Path("other").mkdir()
    assert copy_recipe("own.toml", Path("other")) == Path("other", "own.toml")
    assert Path("other", "own.toml").read_bytes() == SCHEMA + b"# \xff is no UTF-8\r\n"


def test_a_schema_that_is_named_stays_and_a_byte_order_mark_stays_first() -> None:
    Path("one.toml").write_bytes(b"#:schema ../mine.json\nseed = 1\n")
    copy_recipe("one.toml", "two.toml")
    assert Path("two.toml").read_bytes() == Path("one.toml").read_bytes()
    Path("marked.toml").write_bytes(b"\xef\xbb\xbfseed = 1\n")
    copy_recipe("marked.toml", "copy.toml")
    assert Path("copy.toml").read_bytes() == b"\xef\xbb\xbf" + SCHEMA + b"seed = 1\n"


def test_a_file_that_is_there_stays_as_it_is() -> None:
    Path("mine.toml").write_text("mine")
    with pytest.raises(GenlabError, match=r"^mine\.toml: the file already exists; nothing was written$"):
        copy_recipe("unet_folder", Path("mine.toml"))
    assert Path("mine.toml").read_text() == "mine"


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(StorageError, match=r"^no/mine\.toml: cannot be written: No such file or directory$"):
        copy_recipe("unet_folder", Path("no", "mine.toml"))


def test_a_recipe_that_is_not_there_leaves_no_file() -> None:
    with pytest.raises(RecipeError, match="unet_foldr: no such file"):
        copy_recipe("unet_foldr", Path("mine.toml"))
    assert not Path("mine.toml").exists()
