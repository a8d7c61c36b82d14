"""One picture per pair: which files count, how they are read, and what is said of those that cannot be."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab import DataError, DataUnavailableError, ImageSide
from genlab_images.side_by_side import SideBySide

RED, BLUE = (255, 0, 0), (0, 0, 255)
SIDEWAYS, UPSIDE_DOWN = 6, 3

Save = Callable[..., Path]


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def test_the_left_half_is_a_and_the_right_half_is_b(save: Save, tmp_path: Path) -> None:
    save("train/1.png", RED, BLUE, size=(8, 6))
    pairs = SideBySide(root=tmp_path).open("train")
    key, a, b, _ = pairs[0]
    assert key == "1.png"
    assert a.shape == b.shape == (6, 4, 3)
    assert a.dtype == b.dtype == np.uint8
    assert (a == RED).all()
    assert (b == BLUE).all()
    assert pairs.a == pairs.b == ImageSide(channels=3, dtype="uint8")


def test_each_split_has_its_folder(save: Save, tmp_path: Path) -> None:
    save("learn/1.png")
    save("val/2.png")
    data = SideBySide(root=tmp_path, train="learn")
    assert [pair.key for pair in data.open("train")] == ["1.png"]
    assert [pair.key for pair in data.open("validation")] == ["2.png"]
    assert data.open("train").description == f"1 pair in {tmp_path / 'learn'}"


def test_files_come_in_natural_order_from_nested_folders(save: Save, tmp_path: Path) -> None:
    for name in ("10.png", "2.PNG", "b/1.jpg", "b/03.bmp", "a.webp", "c.tif", "d.TIFF", ".hidden.png", ".cache/1.png"):
        save(f"train/{name}")
    (tmp_path / "train/notes.txt").write_text("not an image")
    pairs = SideBySide(root=tmp_path).open("train")
    assert [pair.key for pair in pairs] == ["2.PNG", "10.png", "a.webp", "b/1.jpg", "b/03.bmp", "c.tif", "d.TIFF"]


def test_home_is_expanded(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("pairs/train/1.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(SideBySide(root=Path("~/pairs")).open("train")) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_gray_keeps_one_channel(save: Save, tmp_path: Path, mode: str) -> None:
    save("train/1.png", size=(8, 6), mode=mode)
    pairs = SideBySide(root=tmp_path).open("train")
    assert pairs.a == ImageSide(channels=1, dtype="uint8")
    assert pairs[0].a.shape == (6, 4, 1)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_are_kept(tmp_path: Path, kind: str) -> None:
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    (tmp_path / "train").mkdir()
    Image.fromarray(values).save(tmp_path / f"train/1.{kind}")
    pair = SideBySide(root=tmp_path).open("train")[0]
    assert pair.a.dtype == np.uint16
    np.testing.assert_array_equal(pair.b[..., 0], values[:, 4:])


def test_transparency_is_dropped(save: Save, tmp_path: Path) -> None:
    save("train/1.png", (255, 0, 0, 0), (0, 0, 255, 128), mode="RGBA")
    pair = SideBySide(root=tmp_path).open("train")[0]
    assert (pair.a == RED).all()
    assert (pair.b == BLUE).all()


@pytest.mark.parametrize("options", [{}, {"transparency": 1}, {"transparency": b"\x00\x80"}])
def test_a_palette_becomes_colors(tmp_path: Path, options: dict[str, object]) -> None:
    picture = Image.new("P", (8, 6))
    picture.putpalette([*RED, *BLUE])
    picture.paste(1, (4, 0, 8, 6))
    (tmp_path / "train").mkdir()
    picture.save(tmp_path / "train/1.png", **options)
    pair = SideBySide(root=tmp_path).open("train")[0]
    assert (pair.a == RED).all()
    assert (pair.b == BLUE).all()


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_exif_orientation_is_applied(save: Save, tmp_path: Path, kind: str) -> None:
    save(f"train/turned.{kind}", RED, BLUE, size=(32, 16), exif=orientation(UPSIDE_DOWN))
    save(f"train/odd.{kind}", size=(9, 16), exif=orientation(SIDEWAYS))
    odd, turned = SideBySide(root=tmp_path).open("train")
    assert odd.a.shape == (9, 8, 3)
    assert turned.a[8, 8].argmax() == 2, "blue was on the right before the turn"


def test_gray_pictures_among_colored_ones_become_colored(save: Save, tmp_path: Path) -> None:
    save("train/1.png", RED)
    save("train/2.png", 7, mode="L")
    pairs = SideBySide(root=tmp_path).open("train")
    assert pairs[1].a.shape == (6, 4, 3)
    assert (pairs[1].a == 7).all()


def test_arrays_may_be_written_to(save: Save, tmp_path: Path) -> None:
    save("train/1.png")
    assert SideBySide(root=tmp_path).open("train")[0].a.flags.writeable


def test_the_fingerprint_follows_contents_and_names_alone(save: Save, tmp_path: Path) -> None:
    def fingerprint(root: str) -> str:
        return SideBySide(root=tmp_path / root).open("train").fingerprint()

    save("here/train/1.png", RED)
    save("here/train/2.png", BLUE)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    first = fingerprint("here")
    assert first == fingerprint("there")
    (tmp_path / "there/train/2.png").rename(tmp_path / "there/train/3.png")
    assert first != fingerprint("there")
    save("here/train/2.png", RED)
    assert first != fingerprint("here")


def test_a_missing_split_names_the_folders_that_are_there(tmp_path: Path) -> None:
    for name in ("trian", "test", ".git"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match='no folder "train"; the folders there are test, trian') as caught:
        SideBySide(root=tmp_path).open("train")
    assert caught.value.where == str(tmp_path)
    assert 'Did you mean "trian"?' in str(caught.value.hint)
    assert '"train"' in str(caught.value.hint)


def test_a_folder_without_images_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="no image in this folder; it is empty"):
        SideBySide(root=tmp_path).open("train")
    for name in ("1.gif", "2.gif", "README"):
        (tmp_path / "train" / name).touch()
    with pytest.raises(DataError, match=r"2 \.gif \(1.gif, 2.gif\), 1 without an extension") as caught:
        SideBySide(root=tmp_path).open("train")
    assert ".png, .jpg, .jpeg" in str(caught.value.hint)


def test_a_missing_root_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = SideBySide(root=Path("nowhere"))
    for action in (data.probe, lambda: data.open("train")):
        with pytest.raises(DataUnavailableError, match="no such folder") as caught:
            action()
        assert caught.value.where == "nowhere"
        assert f"from the working directory, {tmp_path}" in str(caught.value.hint)
    (tmp_path / "nowhere").mkdir()
    data.probe()


def test_an_archive_is_no_root(tmp_path: Path) -> None:
    archive = tmp_path / "facades.zip"
    archive.touch()
    with pytest.raises(DataError, match="a file, not a folder"):
        SideBySide(root=archive).open("train")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"no image at all" * 9, "unknown format; expected PNG, JPEG, WebP, BMP, TIFF or NumPy's .npy"),
    ],
)
def test_a_file_that_is_no_image_is_found_when_opening(save: Save, tmp_path: Path, content: bytes, reason: str) -> None:
    save("train/1.png")
    (tmp_path / "train/2.png").write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        SideBySide(root=tmp_path).open("train")
    assert caught.value.where == str(tmp_path / "train/2.png")


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tiff"])
def test_a_truncated_image_is_named_when_read(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    file = tmp_path / f"train/1.{kind}"
    file.parent.mkdir()
    Image.fromarray(noise).save(file)
    pairs = SideBySide(root=tmp_path).open("train")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DataError, match=r"the image cannot be read: .+") as caught:
        pairs[0]
    assert caught.value.where == str(file)


def test_a_file_that_vanishes_is_named(save: Save, tmp_path: Path) -> None:
    file = save("train/1.png")
    pairs = SideBySide(root=tmp_path).open("train")
    file.unlink()
    for action in (lambda: pairs[0], pairs.fingerprint):
        with pytest.raises(DataError, match=r"cannot be read: No such file or directory(\n|$)") as caught:
            action()
        assert caught.value.where == str(file)


def test_a_file_that_changes_its_form_after_opening_is_named(save: Save, tmp_path: Path) -> None:
    save("train/1.png", mode="L")
    pairs = SideBySide(root=tmp_path).open("train")
    file = save("train/1.png", mode="RGB")
    with pytest.raises(DataError, match="one channel of 8 bits, got 3 channels") as caught:
        pairs[0]
    assert caught.value.where == str(file)


def test_an_odd_width_is_found_when_opening(save: Save, tmp_path: Path) -> None:
    save("train/1.png", size=(8, 6))
    file = save("train/2.png", size=(7, 6))
    with pytest.raises(DataError, match="the picture is 7 x 6: it cannot be cut in halves") as caught:
        SideBySide(root=tmp_path).open("train")
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("L", "RGB", "3 channels of 8 bits, where the first one, .*1.png, has one channel of 8 bits"),
        ("RGB", "I;16", "one channel of 16 bits, where the first one, .*1.png, has 3 channels of 8 bits"),
        ("I;16", "L", "one channel of 8 bits, where the first one, .*1.png, has one channel of 16 bits"),
    ],
)
def test_all_pictures_need_one_form(save: Save, tmp_path: Path, first: str, second: str, message: str) -> None:
    save("train/1.png", mode=first)
    file = save("train/2.png", mode=second)
    with pytest.raises(DataError, match=message) as caught:
        SideBySide(root=tmp_path).open("train")
    assert caught.value.where == str(file)


@pytest.mark.parametrize(("mode", "dtype"), [("F", "float32"), ("I", "int32")])
def test_thirty_two_bits_are_read_as_they_are(save: Save, tmp_path: Path, mode: str, dtype: str) -> None:
    save("train/1.tiff", 65536, mode=mode)
    pairs = SideBySide(root=tmp_path).open("train")
    assert pairs.a == ImageSide(channels=1, dtype=dtype)
    assert pairs[0].a.dtype == dtype
    assert (pairs[0].a == 65536).all()


def test_alpha_is_dropped_with_a_note_or_is_a_band(save: Save, tmp_path: Path) -> None:
    save("train/1.png", mode="RGB")
    save("train/2.png", mode="RGBA")
    dropped = SideBySide(root=tmp_path).open("train")
    assert dropped.a == ImageSide(channels=3, dtype="uint8")
    assert dropped.description.endswith("; alpha dropped in 1 of 2 images")
    with pytest.raises(DataError, match="3 channels of 8 bits and alpha, where the first one"):
        SideBySide(root=tmp_path, alpha="band").open("train")
    (tmp_path / "train/1.png").unlink()
    kept = SideBySide(root=tmp_path, alpha="band").open("train")
    assert kept.a == ImageSide(channels=4, dtype="uint8")
    assert kept[0].a.shape[2] == 4


def test_a_picture_too_large_to_be_true_is_refused(save: Save, tmp_path: Path) -> None:
    save("train/1.png", size=(8, 6))
    with pytest.raises(DataError, match="48; the limit is 47"):
        SideBySide(root=tmp_path, max_pixels=47).open("train")
    assert len(SideBySide(root=tmp_path, max_pixels=48).open("train")) == 1


def test_the_real_facades(facades: Path) -> None:
    data = SideBySide(root=facades)
    train, validation = data.open("train"), data.open("validation")
    assert (len(train), len(validation)) == (400, 100)
    assert [train[index].key for index in (0, 1, 9)] == ["1.jpg", "2.jpg", "10.jpg"]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(train.__getitem__, range(16)))
    for index, (_, photo, labels, _) in enumerate(at_once):
        assert photo.shape == labels.shape == (256, 256, 3)
        np.testing.assert_array_equal(photo, train[index].a)


@pytest.mark.parametrize("inner", [".", "below"])
def test_a_root_that_may_not_be_entered_is_refused(locked: Path, inner: str) -> None:
    with pytest.raises(DataError, match="Permission denied") as caught:
        SideBySide(root=locked / inner).open("train")
    assert caught.value.where == str(locked / inner)


def test_a_user_that_is_unknown_is_named() -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        SideBySide(root=Path("~nobody-of-this-name/pairs")).probe()
    assert caught.value.where == "~nobody-of-this-name/pairs"
