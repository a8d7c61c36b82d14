"""Pairs in two columns of a table: read from this machine and through a hub, and what is said of bad tables."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from genlab import DataError, DataUnavailableError, ImageSide
from genlab_images.first_available import FirstAvailable
from genlab_images.huggingface import HuggingFace
from genlab_images.side_by_side import SideBySide

Encode = Callable[..., bytes]
Rows = list[dict[str, Any]]

FACADES = {"a": "imageA", "b": "imageB"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are unpacked below `tmp_path`, not in the user's own cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(autouse=True)
def bars() -> Iterator[None]:
    """Progress bars are on, as they are for users, unless a test's own preparations turn them off."""
    datasets.enable_progress_bars()
    yield
    datasets.enable_progress_bars()


def embedded(image: bytes | None) -> dict[str, bytes | None] | None:
    return None if image is None else {"bytes": image, "path": None}


@pytest.fixture
def rows(encode: Encode) -> Rows:
    """Ten pairs, told apart by their colors."""
    return [
        {"imageA": embedded(encode((n, 0, 0))), "imageB": embedded(encode((0, 0, n))), "caption": f"facade {n}"}
        for n in range(10)
    ]


def write(rows: Rows, path: Path) -> Path:
    """A Parquet file as `datasets` writes it, in the form of `huggan/facades`."""
    image = datasets.Image()
    features = datasets.Features({"imageA": image, "imageB": image, "caption": datasets.Value("string")})
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows, features=features).to_parquet(path)
    datasets.enable_progress_bars()
    return path


@pytest.fixture
def parquet(rows: Rows, tmp_path: Path) -> str:
    return str(write(rows, tmp_path / "facades.parquet"))


def test_columns_become_sides(parquet: str) -> None:
    pairs = HuggingFace(path=parquet, **FACADES).open("train")
    assert pairs.a == pairs.b == ImageSide(channels=3, dtype="uint8")
    assert pairs.description == f"9 pairs of {parquet}, train[:90%]"
    key, a, b, _ = pairs[7]
    assert key == "train/7"
    assert (a == (7, 0, 0)).all()
    assert (b == (0, 0, 7)).all()
    assert (HuggingFace(path=parquet, a="imageB", b="imageA").open("train")[7].a == (0, 0, 7)).all()


def test_a_file_on_this_machine_is_written_down_so_that_it_is_found_from_anywhere(
    parquet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    near = HuggingFace(path=Path(parquet).name, **FACADES)
    assert near.choose().settings == {"path": parquet}
    assert FirstAvailable(sources=[near]).choose().settings == {"path": parquet}
    assert HuggingFace(path="huggan/facades", **FACADES).choose().settings == {}


def test_the_last_tenth_is_held_out(parquet: str) -> None:
    data = HuggingFace(path=parquet, **FACADES)
    assert [pair.key for pair in data.open("validation")] == ["train/9"]
    assert "train/9" not in [pair.key for pair in data.open("train")]


def test_parts_of_splits_keep_their_rows_numbers(parquet: str) -> None:
    data = HuggingFace(path=parquet, **FACADES, train="train[2:4]+train[-1:]", validation="train[4:6]")
    for split, numbers in (("train", [2, 3, 9]), ("validation", [4, 5])):
        pairs = data.open(split)
        assert [pair.key for pair in pairs] == [f"train/{n}" for n in numbers]
        assert [pair.a[0, 0, 0] for pair in pairs] == numbers


def test_test_rows_are_those_of_the_setting_and_of_no_other_split(parquet: str) -> None:
    parts = {"train": "train[:4]", "validation": "train[4:6]"}
    data = HuggingFace(path=parquet, **FACADES, **parts, test="train[6:]")
    assert list(data.available_splits()) == ["train", "validation", "test"]
    assert [pair.key for pair in data.open("test")] == [f"train/{n}" for n in (6, 7, 8, 9)]
    assert list(HuggingFace(path=parquet, **FACADES).available_splits()) == ["train", "validation"]
    shared = HuggingFace(path=parquet, **FACADES, **parts, test="train[5:]")
    assert list(shared.available_splits()) == ["train", "validation"]
    with pytest.raises(DataError, match="validation and test share pairs: rows 5 to 5 of train"):
        shared.open("test")


def test_a_folder_of_parquet_has_the_splits_that_its_names_say(rows: Rows, tmp_path: Path) -> None:
    write(rows[:4], tmp_path / "set/data/train-00000-of-00002.parquet")
    write(rows[4:6], tmp_path / "set/data/train-00001-of-00002.parquet")
    write(rows[6:], tmp_path / "set/data/test-00000-of-00001.parquet")
    data = HuggingFace(path=str(tmp_path / "set"), **FACADES, train="train", validation="test")
    assert [pair.a[0, 0, 0] for pair in data.open("train")] == [0, 1, 2, 3, 4, 5]
    assert [pair.key for pair in data.open("validation")] == ["test/0", "test/1", "test/2", "test/3"]


@pytest.mark.parametrize("plain", [True, False])
def test_parquet_of_other_makers_holds_bytes(rows: Rows, tmp_path: Path, plain: bool) -> None:
    columns = {name: [row[name]["bytes"] if plain else row[name] for row in rows] for name in ("imageA", "imageB")}
    pa.parquet.write_table(pa.table(columns), tmp_path / "bytes.parquet")
    pairs = HuggingFace(path=str(tmp_path / "bytes.parquet"), **FACADES).open("train")
    assert [pair.b[0, 0, 2] for pair in pairs] == list(range(9))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # `datasets` leaves metadata.csv open
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_folder_of_images_with_metadata(save: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    names = [{"a_file_name": f"{n}.png", "b_file_name": f"labels/{n}.png"} for n in range(4)]
    for n, row in enumerate(names):
        save(f"set/{row['a_file_name']}", (n, 0, 0))
        save(f"set/{row['b_file_name']}", (0, 0, n))
    text = {
        "csv": "\n".join(["a_file_name,b_file_name", *(",".join(row.values()) for row in names)]),
        "jsonl": "\n".join(map(json.dumps, names)),
    }
    (tmp_path / f"set/metadata.{kind}").write_text(text[kind])
    data = HuggingFace(path=str(tmp_path / "set"), a="a", b="b", train="train[:2]", validation="train[2:]")
    pairs = data.open("train")
    assert [pair.b[0, 0, 2] for pair in pairs] == [0, 1]
    first = pairs.fingerprint()
    save("set/labels/1.png", (0, 0, 77))
    assert pairs.fingerprint() != first
    (tmp_path / "set/labels/1.png").unlink()
    with pytest.raises(DataError, match="No such file or directory") as caught:
        pairs[1]
    assert "row 1 of train, column b" in str(caught.value.where)
    assert str(tmp_path / "set/labels/1.png") in str(caught.value.where)


@pytest.fixture
def naming(encode: Encode, save: Callable[..., Path], tmp_path: Path) -> Callable[..., HuggingFace]:
    """A table in `set/`, whose rows name files by these paths as `imageA`; `set/1.png` and `secret.png` are there."""
    save("set/1.png", (1, 0, 0))
    save("secret.png", (2, 0, 0))
    (tmp_path / "set/link.png").symlink_to("../secret.png")
    (tmp_path / "set/inner").symlink_to(".")
    (tmp_path / "set/loop.png").symlink_to("loop.png")

    def made(*paths: str, **settings: Any) -> HuggingFace:
        struct = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        a = pa.array([{"bytes": None, "path": path} for path in paths], struct)
        b = pa.array([{"bytes": encode((0, 0, 9)), "path": None}] * len(paths), struct)
        pa.parquet.write_table(pa.table({"imageA": a, "imageB": b}), tmp_path / "set/table.parquet")
        parts = {"train": "train[:1]", "validation": "train[1:]"}
        return HuggingFace(path=str(tmp_path / "set/table.parquet"), **(FACADES | parts | settings))

    return made


@pytest.mark.parametrize("path", ["1.png", "inner/./1.png", "../set/1.png", "{folder}/set/1.png"])
def test_rows_may_name_files_of_the_tables_folder(
    naming: Callable[..., HuggingFace], tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    (pair,) = naming(path.format(folder=tmp_path), "1.png").open("train")
    assert (pair.a == (1, 0, 0)).all()


@pytest.mark.parametrize("path", ["../secret.png", "{folder}/secret.png", "link.png", "inner/../secret.png"])
def test_rows_may_not_name_files_elsewhere_unless_a_setting_allows_it(
    naming: Callable[..., HuggingFace], tmp_path: Path, path: str
) -> None:
    named = path.format(folder=tmp_path)
    with pytest.raises(DataError, match="outside of the table's folder") as caught:
        naming("1.png", named).open("validation")
    assert named in caught.value.what
    assert str(caught.value.where).endswith("table.parquet, row 1 of train, column imageA")
    assert "outside_files = true" in str(caught.value.hint)
    (pair,) = naming("1.png", named, outside_files=True).open("validation")
    assert (pair.a == (2, 0, 0)).all()


@pytest.mark.parametrize("path", ["loop.png", "gone.png", "https://x.org/1.png", "a\0b"])
def test_rows_that_name_no_file_are_refused(naming: Callable[..., HuggingFace], path: str) -> None:
    with pytest.raises(DataError, match=r"Too many levels|No such file|not a path") as caught:
        naming(path, "1.png").open("train")
    assert "row 0 of train, column imageA" in str(caught.value.where)


def test_the_fingerprint_is_the_contents_wherever_they_lie(rows: Rows, tmp_path: Path) -> None:
    def fingerprint(path: Path, **settings: str) -> str:
        return HuggingFace(path=str(path), **(FACADES | settings)).open("train").fingerprint()

    here, there = write(rows, tmp_path / "here.parquet"), write(rows, tmp_path / "there/data/train.parquet")
    first = fingerprint(here)
    assert first == fingerprint(there.parents[1])
    assert first != fingerprint(here, a="imageB", b="imageA")
    assert first != fingerprint(here, train="train[:8]")
    rows[3]["imageA"] = rows[4]["imageA"]
    assert first != fingerprint(write(rows, here)), "a file that changed is read anew"


def test_a_local_table_is_read_without_a_sound(parquet: str, capfd: pytest.CaptureFixture[str]) -> None:
    HuggingFace(path=parquet, **FACADES, label_side="b").open("train").fingerprint()
    assert capfd.readouterr() == ("", "")
    assert not datasets.are_progress_bars_disabled(), "others' progress bars are left as they were"


# Label maps


@pytest.fixture
def labeled(encode: Encode, tmp_path: Path) -> str:
    """Column imageA: noise, as a photo. Column imageB: four colors in blocks, blurred by JPEG."""
    rng = np.random.default_rng(0)
    palette = np.array([(0, 0, 222), (255, 80, 0), (174, 0, 1), (1, 207, 255)], np.uint8)

    def row() -> dict[str, Any]:
        photo = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
        labels = palette[rng.integers(0, 4, (4, 4))].repeat(12, axis=0).repeat(12, axis=1)
        jpegs = [embedded(encode(side, kind="JPEG")) for side in (photo, labels)]
        return {"imageA": jpegs[0], "imageB": jpegs[1], "caption": ""}

    return str(write([row() for _ in range(10)], tmp_path / "labeled.parquet"))


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize(
    ("columns", "label_side", "labels_on", "swapped"),
    [
        (FACADES, "b", "b", False),
        (FACADES, "a", "a", True),
        ({"a": "imageB", "b": "imageA"}, "b", "b", True),
        (FACADES, None, "b", False),
        ({"a": "imageB", "b": "imageA"}, None, "a", False),
    ],
)
def test_label_maps_come_on_the_side_asked_for(
    labeled: str, split: Any, columns: dict[str, str], label_side: Any, labels_on: str, swapped: bool
) -> None:
    pairs = HuggingFace(path=labeled, **columns, label_side=label_side).open(split)
    labels = getattr(pairs[0], labels_on)
    assert np.ptp(labels[2:10, 2:10], axis=(0, 1)).max() < 40, "a block has one color, but for JPEG"
    assert ("columns swapped, as imageB holds the label maps" in pairs.description) == swapped


def test_training_pairs_decide_for_both_splits(rows: Rows, tmp_path: Path, encode: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    for row in rows[:9]:
        row["imageA"] = embedded(encode(noise))
    rows[9]["imageB"] = embedded(encode(noise))
    data = HuggingFace(path=str(write(rows, tmp_path / "mixed.parquet")), **FACADES, label_side="a")
    assert (data.open("train")[7].a == (0, 0, 7)).all()
    assert (data.open("validation")[0].a == noise).all()


def test_sides_that_look_alike_are_left_and_it_is_said(parquet: str) -> None:
    pairs = HuggingFace(path=parquet, **FACADES, label_side="a").open("train")
    assert (pairs[7].a == (7, 0, 0)).all()
    assert pairs.description.endswith("the colors do not tell which column holds the label maps")


def test_every_real_facade_tells_its_label_map(facades: Path, encode: Encode, tmp_path: Path) -> None:
    photos = SideBySide(root=facades).open("validation")
    rows = [
        {"imageA": embedded(encode(a, kind="JPEG")), "imageB": embedded(encode(b, kind="JPEG")), "caption": key}
        for key, a, b, _ in photos
    ]
    path = str(write(rows, tmp_path / "facades.parquet"))
    for start in range(0, 100, 10):
        parts = {"train": f"train[{start}:{start + 1}]", "validation": f"train[{start + 1}:{start + 2}]"}
        right = HuggingFace(path=path, **FACADES, **parts, label_side="b").open("train")
        wrong = HuggingFace(path=path, **FACADES, **parts, label_side="a").open("train")
        assert "swapped" not in right.description
        assert "swapped" in wrong.description
        np.testing.assert_array_equal(right[0].b, wrong[0].a)


# Tables that cannot be used


def refused(path: str, **settings: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        HuggingFace(path=path, **(FACADES | settings)).open("train")
    return caught.value


def test_a_column_that_is_not_there_or_holds_no_images(parquet: str) -> None:
    error = refused(parquet, b="image")
    assert (error.what, error.where) == ('no column "image"', parquet)
    assert error.hint == "The columns with images are: imageA, imageB."
    error = refused(parquet, b="caption")
    assert 'the column "caption" does not hold images' in error.what
    assert error.hint == "The columns with images are: imageA, imageB."


@pytest.mark.parametrize("spec", ["trian", "test[:10%]", "train[:"])
def test_a_split_that_is_not_there(parquet: str, spec: str) -> None:
    for setting in ("train", "validation"):
        error = refused(parquet, **{setting: spec})
        assert error.what == f'unknown split "{spec}"'
        assert error.where == f"{parquet}, {setting}"
        assert "train (10 rows)" in str(error.hint)


def test_an_empty_part(parquet: str) -> None:
    assert refused(parquet, validation="train[10:]").what == 'no row is in the split "train[10:]"'


@pytest.mark.parametrize(("train", "shared"), [("train", "9 to 9"), ("train[3:5]+train[7:]", "9 to 9")])
def test_training_pairs_in_the_validation_split(parquet: str, train: str, shared: str) -> None:
    assert f"train and validation share pairs: rows {shared} of train" in refused(parquet, train=train).what


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match='train and validation are both "train"'):
        HuggingFace(path="x/y", **FACADES, train="train", validation="train")
    with pytest.raises(ValueError, match='a and b are both "image"'):
        HuggingFace(path="x/y", a="image", b="image")


def test_a_broken_image_is_named_by_its_row(rows: Rows, tmp_path: Path, encode: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    cut = encode(noise)[:1000]
    for number, image, message in (
        (3, b"", "it is empty"),
        (4, b"nonsense", "unknown format; expected PNG"),
        (5, None, "it is empty"),
    ):
        spoilt = [*rows[:number], rows[number] | {"imageB": embedded(image)}, *rows[number + 1 :]]
        path = str(write(spoilt, tmp_path / f"{number}.parquet"))
        error = refused(path)
        assert message in error.what
        assert error.where == f"{path}, row {number} of train, column imageB"
    rows[6] = {"imageA": embedded(cut), "imageB": embedded(encode(noise)), "caption": ""}
    path = str(write(rows, tmp_path / "cut.parquet"))
    pairs = HuggingFace(path=path, **FACADES, train="train[5:]", validation="train[:5]").open("train")
    with pytest.raises(DataError, match=r"the image cannot be read: .*truncated") as caught:
        pairs[1]
    assert caught.value.where == f"{path}, row 6 of train, column imageA"


def test_images_of_a_pair_that_differ_in_size(rows: Rows, tmp_path: Path, encode: Encode) -> None:
    rows[2]["imageB"] = embedded(encode(0, size=(6, 8)))
    error = refused(str(write(rows, tmp_path / "sizes.parquet")))
    assert "the image is 8 x 6" in error.what
    assert "row 2 of train, column imageB is 6 x 8" in error.what


def test_a_file_that_is_no_table(parquet: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(Path(parquet).read_bytes()[:500])
    chatter = BufferingHandler(capacity=100)
    logging.getLogger("datasets").addHandler(chatter)
    error = refused(str(broken))
    logging.getLogger("datasets").removeHandler(chatter)
    assert "not a parquet file" in error.what
    assert error.where == str(broken)
    assert not chatter.buffer, "the error says it all"
    (tmp_path / "facades.zip").touch()
    assert "a .zip file is not a table of images" in refused(str(tmp_path / "facades.zip")).what
    (tmp_path / "empty").mkdir()
    assert "doesn't contain any data files" in refused(str(tmp_path / "empty")).what


def test_code_that_comes_with_a_dataset_is_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert "scripts are no longer supported" in refused(str(folder)).what
    assert not (tmp_path / "ran").exists()


def test_a_configuration_has_to_be_chosen_where_there_are_several(rows: Rows, tmp_path: Path) -> None:
    write(rows, tmp_path / "set/one/1.parquet")
    write(rows[::-1], tmp_path / "set/two/2.parquet")
    configs = "".join(f"- config_name: {name}\n  data_files: {name}/*\n" for name in ("one", "two"))
    (tmp_path / "set/README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    assert "['one', 'two']" in refused(str(tmp_path / "set")).what
    pairs = HuggingFace(path=str(tmp_path / "set"), **FACADES, config="two").open("train")
    assert (pairs[0].a == (9, 0, 0)).all()


@pytest.mark.parametrize("path", ["./nowhere", "no/such/folder", "data/facades.parquet", "~/nowhere"])
def test_a_path_that_leads_nowhere(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = HuggingFace(path=path, **FACADES)
    for action in (data.probe, lambda: data.open("train")):
        with pytest.raises(DataUnavailableError, match="no such file or folder") as caught:
            action()
        assert caught.value.where == path
        assert str(tmp_path) in str(caught.value.hint)


def test_a_path_that_is_there_can_be_had(parquet: str) -> None:
    HuggingFace(path=parquet, **FACADES).probe()


# The hub: its address is read when `huggingface_hub` is imported, so each of these is a process of its own

OPEN = """
import sys, time
from genlab import GenlabError
from genlab_images.huggingface import HuggingFace
start = time.monotonic()
try:
    data = HuggingFace(path="huggan/facades", a="imageA", b="imageB")
    data.probe()
    print("datasets" in sys.modules)
    print(data.open("train").fingerprint())
except GenlabError as error:
    print(type(error).__name__, error.what, "datasets" in sys.modules)
print(time.monotonic() - start)
"""


def opened(python: list[str], home: Path, **environment: str) -> list[str]:
    """What the script above prints, with a home of its own for caches."""
    done = subprocess.run(
        [*python, "-c", OPEN],
        env=os.environ | {"HF_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.cold
def test_the_hub_is_asked_first_and_its_copy_kept_for_later(
    python: list[str], rows: Rows, tmp_path: Path, table_hub: Callable[..., Any]
) -> None:
    path = write(rows, tmp_path / "facades.parquet")
    expected = HuggingFace(path=str(path), **FACADES).open("train").fingerprint()
    with table_hub(path) as url:
        probed, fingerprint, _ = opened(python, tmp_path, HF_ENDPOINT=url)
    assert (probed, fingerprint) == ("False", expected), "probing imports no datasets"
    _, again, seconds = opened(python, tmp_path, HF_ENDPOINT=url)
    assert again == expected, "the hub is gone, and the copy serves"
    assert float(seconds) < 10, "far below the half minute that `datasets` would try"


@pytest.mark.cold
def test_rows_may_name_files_of_their_copy_from_the_hub(
    python: list[str], save: Callable[..., Path], tmp_path: Path, table_hub: Callable[..., Any]
) -> None:
    images = [save(f"{number}.png", (number, 0, 0)) for number in range(10)]
    metadata = tmp_path / "metadata.csv"
    metadata.write_text("imageA_file_name,imageB_file_name\n" + "\n".join(f"{n}.png,0.png" for n in range(10)))
    with table_hub(metadata, *images) as url:
        _, fingerprint, _ = opened(python, tmp_path / "home", HF_ENDPOINT=url)
    assert len(fingerprint) == 64


@pytest.mark.cold
def test_offline_mode_and_nothing_kept(tmp_path: Path, python: list[str]) -> None:
    failure, seconds = opened(python, tmp_path, HF_HUB_OFFLINE="1")
    assert failure.startswith("DataUnavailableError")
    assert "offline mode (HF_HUB_OFFLINE) forbids to fetch it" in failure
    assert failure.endswith("False"), "no need to import datasets for that"
    assert float(seconds) < 1


def test_a_table_that_may_not_be_read_is_refused(locked: Path) -> None:
    with pytest.raises(DataError, match="the table cannot be read: Permission denied"):
        HuggingFace(path=str(locked / "facades.parquet"), a="a", b="b").probe()
