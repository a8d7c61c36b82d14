"""Files that are not read, and what is said of each."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.core.images.matrix import pattern

from genlab import DataError
from genlab.images import extras
from genlab.images.read import read_header, read_image
from genlab.images.source import ImageSource

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"
PICTURE = Image.fromarray(pattern("uint8", 3))


def refusal(path: Path, **options) -> str:
    """What is said when the header is read, and again when the pixels are."""
    source = ImageSource.of(path)
    with pytest.raises(DataError) as first:
        read_header(source, **options)
    with pytest.raises(DataError) as second:
        read_image(source, **options)
    assert str(first.value) == str(second.value)
    return str(first.value)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif", "x.eps"])
def test_only_the_formats_named_are_decoded_and_no_program_is_started(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_given, **_more: pytest.fail("a program was started"))
    (tmp_path / name).write_bytes(EPS)
    assert "unknown format; expected PNG, JPEG, WebP, BMP, TIFF or NumPy's .npy" in refusal(tmp_path / name)


def test_other_formats_of_pillow_are_refused(tmp_path: Path) -> None:
    for extension in ("gif", "ppm", "tga", "pcx", "ico"):
        PICTURE.save(tmp_path / "x.png", format=extension)
        assert "unknown format" in refusal(tmp_path / "x.png")


def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    assert "not a regular file" in refusal(tmp_path / "x.png")


def test_an_image_is_not_larger_than_a_setting_says(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "x.png")
    said = refusal(tmp_path / "x.png", max_pixels=239)
    assert "20 x 12 pixels, 240; the limit is 239" in said
    assert "max_pixels" in said
    assert read_image(ImageSource.of(tmp_path / "x.png"), max_pixels=240).shape == (12, 20, 3)


def test_a_large_image_is_no_bomb_where_the_setting_allows_it(tmp_path: Path) -> None:
    """Pillow by itself refuses more than 179 million pixels."""
    Image.new("1", (20_000, 10_000)).save(tmp_path / "x.png")
    assert read_header(ImageSource.of(tmp_path / "x.png")).width == 20_000


def test_several_pages_or_frames_are_refused(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "two.tif", save_all=True, append_images=[PICTURE])
    assert "the file has 2 pages" in refusal(tmp_path / "two.tif")
    tifffile.imwrite(tmp_path / "deep.tif", np.stack([pattern("uint16", 3)] * 3), photometric="rgb")
    assert "the file has 3 pages" in refusal(tmp_path / "deep.tif")
    for extension in ("png", "webp"):
        frames = [PICTURE, PICTURE.rotate(180)]
        frames[0].save(tmp_path / f"x.{extension}", save_all=True, append_images=frames[1:], lossless=True)
        assert "the file has 2 frames" in refusal(tmp_path / f"x.{extension}")


def test_a_thumbnail_is_no_page(tmp_path: Path) -> None:
    array = pattern("uint8", 3)
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(array, photometric="rgb")
        file.write(array[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read_image(ImageSource.of(tmp_path / "x.tif")), array)


def test_a_thumbnail_before_the_page_is_not_read_for_it(tmp_path: Path) -> None:
    page = pattern("uint8", 3)
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(page[::2, ::2], subfiletype=1, photometric="rgb")
        file.write(page, photometric="rgb")
    np.testing.assert_array_equal(read_image(ImageSource.of(tmp_path / "x.tif")), page)


def test_a_transparent_color_of_16_bits_is_no_band(tmp_path: Path) -> None:
    image = pattern("uint16", 3)
    data = imagecodecs.png_encode(image)
    chunk = b"tRNS" + image[0, 0].astype(">u2").tobytes()
    place = data.index(b"IDAT") - 4
    whole = data[:place] + struct.pack(">I", 6) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[place:]
    (tmp_path / "x.png").write_bytes(whole)
    np.testing.assert_array_equal(read_image(ImageSource.of(tmp_path / "x.png")), image)


def test_alpha_that_is_not_the_last_band_is_not_taken_for_one(tmp_path: Path) -> None:
    extra = ["unassalpha", "unspecified"]
    tifffile.imwrite(tmp_path / "x.tif", pattern("uint16", 5), photometric="rgb", extrasamples=extra)
    assert "its alpha is not the last of its bands" in refusal(tmp_path / "x.tif")


def test_other_colors_are_not_converted(tmp_path: Path) -> None:
    for extension in ("jpg", "tif"):
        PICTURE.convert("CMYK").save(tmp_path / f"x.{extension}")
        assert "expected colors in gray or RGB" in refusal(tmp_path / f"x.{extension}")
    PICTURE.convert("LAB").save(tmp_path / "lab.tif")
    assert "expected colors in gray or RGB" in refusal(tmp_path / "lab.tif")


def test_without_the_extra_what_needs_it_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "importlib", SimpleNamespace(import_module=missing))
    (tmp_path / "x.png").write_bytes(imagecodecs.png_encode(pattern("uint16", 3)))
    assert "pip install 'genlab[tiff]'" in refusal(tmp_path / "x.png")
    tifffile.imwrite(tmp_path / "x.tif", pattern("uint16", 3), photometric="rgb")
    assert "pip install 'genlab[tiff]'" in refusal(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(4), "expected shape"),
        (np.zeros((2, 3, 4, 5)), "expected shape"),
        (np.zeros((0, 4)), "expected shape"),
        (np.zeros((3, 32, 48), np.uint8), "whose bands seem to come first\nSave np.moveaxis(array, 0, -1)."),
        (np.zeros((4, 4), complex), "integers of up to 32 bits, or floats, got complex128"),
        (np.zeros((4, 4), np.int64), "got int64"),
        (np.zeros((4, 4), bool), "got bool"),
    ],
)
def test_an_array_that_is_no_image(array: np.ndarray, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    assert said in refusal(tmp_path / "x.npy")


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[print]], object), allow_pickle=True)
    assert "cannot be read" in refusal(tmp_path / "x.npy")


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "bmp", "tif", "npy"])
def test_a_damaged_file_is_an_error_that_names_it(extension: str, tmp_path: Path) -> None:
    whole = tmp_path / f"x.{extension}"
    if extension == "npy":
        np.save(whole, pattern("uint8", 3))
    else:
        PICTURE.save(whole)
    data = whole.read_bytes()
    for length in (0, 3, len(data) // 2, len(data) - 30):
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(DataError, match="cut: "):
            read_image(ImageSource.of(tmp_path / "cut"))


def test_an_image_that_may_not_be_read_is_refused(locked: Path) -> None:
    with pytest.raises(DataError, match="the file cannot be read: Permission denied") as caught:
        ImageSource.of(locked / "1.png").read()
    assert caught.value.where == str(locked / "1.png")
