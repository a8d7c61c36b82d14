"""The page on layouts: each of its recipes reads the files that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from genlab import inspect_data

PAGE = Path(__file__).parents[3] / "docs" / "data.md"
ROWS = re.findall(r"^\| (.*) \| (`name = .*) \|$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("layout", "lines"), [row for row in ROWS if "huggingface" not in row[1]])
def test_a_recipe_reads_its_layout(
    save: Callable[..., Path], tmp_path: Path, tiny: Path, layout: str, lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = re.findall(r"`([\w/]*\.\w+)`", layout)
    assert names
    for number in range(30):
        for name in names:
            if name.endswith(".csv"):
                save(f"my_pairs/{number}.jpg", size=(48, 48))
            else:
                save(f"my_pairs/{name.replace('1', str(number))}", size=(48, 48))
    if "pairs.csv" in names:
        rows = "".join(f"{number}.jpg,{number}.jpg\n" for number in range(30))
        (tmp_path / "my_pairs/pairs.csv").write_text(f"a,b\n{rows}")
    monkeypatch.chdir(tmp_path)
    settings = "\n".join(re.findall(r"`([^`]+)`", lines))
    Path("recipe.toml").write_text(f'extends = "{tiny}"\n[data]\n{settings}\n')
    splits = inspect_data("recipe.toml").splits
    counts = [split.images["a"] for split in splits.values()]
    assert sum(counts) == (60 if min(counts) == 30 else 30)


def test_there_is_a_recipe_for_each_dataset_from_files() -> None:
    names = {re.findall(r'name = "(\w+)"', lines)[0] for _, lines in ROWS}
    assert names == {
        "side_by_side",
        "two_folders",
        "one_folder",
        "file_list",
        "huggingface",
        "unpaired_folders",
        "gray",
    }
