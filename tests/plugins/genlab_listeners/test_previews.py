"""The pictures in the run's folder are sheets that a person understands alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from genlab import Pictures, Previewed, Started
from genlab_listeners.previews import Previews

StartedAt = Callable[[int], Started]


def pictures(height: int, width: int, count: int = 2) -> Pictures:
    noise = np.random.default_rng(0).integers(0, 256, (3, count, height, width, 3), dtype=np.uint8)
    return Pictures(tuple(map(str, range(count))), *noise)


def read(folder: Path, name: str) -> NDArray[np.uint8]:
    with Image.open(folder / "previews" / name) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def place_of(tile: NDArray[np.uint8], sheet: NDArray[np.uint8]) -> tuple[int, int]:
    """Row and column of the pixel where a picture starts in a sheet; it must be there exactly once."""
    height, width, _ = tile.shape
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (height, width, 3))[:, :, 0]
    corners = np.argwhere((windows[:, :, 0, 0] == tile[0, 0]).all(axis=-1))
    found = [
        (row, column) for row, column in corners if (sheet[row : row + height, column : column + width] == tile).all()
    ]
    assert len(found) == 1
    return found[0]


def test_a_sheet_has_a_row_for_each_pair_with_all_pixels_as_they_are(folder: Path, started: StartedAt) -> None:
    shown = pictures(height=40, width=100)
    listener = Previews()
    listener.started(started(0))
    listener.previewed(Previewed(20, shown))

    sheet = read(folder, "000020.png")
    sides = (shown.condition, shown.prediction, shown.target)
    places = np.array([[place_of(picture, sheet) for picture in side] for side in sides])
    rows, columns = places[..., 0], places[..., 1]
    assert (rows == rows[0]).all()
    assert (columns == columns[:, :1]).all()
    assert (np.diff(columns[:, 0]) > 100).all(), "pictures in a row touch"
    assert (np.diff(rows[0]) > 40).all(), "pictures in a column touch"


def test_each_column_has_a_caption_above_it(folder: Path, started: StartedAt) -> None:
    listener = Previews()
    listener.started(started(0))
    listener.previewed(Previewed(0, pictures(40, 100)))
    sheet = read(folder, "000000.png")
    top = place_of(pictures(40, 100).condition[0], sheet)[0]
    captions = sheet[:top]
    assert all((part < 128).any() for part in np.array_split(captions, 3, axis=1))
    assert (captions[:, :2] == 255).all()
    assert (captions[0] == 255).all()
    assert (captions[-1] == 255).all()


def test_tiny_pictures_are_enlarged_pixel_by_pixel(folder: Path, started: StartedAt) -> None:
    shown = pictures(height=8, width=16, count=1)
    listener = Previews()
    listener.started(started(0))
    listener.previewed(Previewed(5, shown))
    large = shown.target[0].repeat(6, axis=0).repeat(6, axis=1)
    assert place_of(large, read(folder, "000005.png"))


def test_a_resumed_run_deletes_pictures_of_later_steps(folder: Path, started: StartedAt) -> None:
    listener = Previews()
    listener.started(started(0))
    for step in (0, 20, 40, 1_000_000):
        listener.previewed(Previewed(step, pictures(32, 32, 1)))
    own = folder / "previews" / "my favorite.png"
    own.write_bytes(b"a picture of the user's")

    Previews().started(started(20))

    assert sorted(path.name for path in own.parent.iterdir()) == ["000000.png", "000020.png", own.name]


def test_names_sort_in_the_order_of_steps(folder: Path, started: StartedAt) -> None:
    listener = Previews()
    listener.started(started(0))
    for step in (80_000, 400, 5):
        listener.previewed(Previewed(step, pictures(8, 8, 1)))
    assert sorted(path.stem for path in (folder / "previews").iterdir()) == ["000005", "000400", "080000"]


def test_a_picture_that_cannot_be_written_leaves_the_old_one(folder: Path, started: StartedAt) -> None:
    listener = Previews()
    listener.started(started(0))
    listener.previewed(Previewed(5, pictures(8, 8, 1)))
    before = read(folder, "000005.png")
    (folder / "previews" / ".000005.png.tmp").mkdir()

    with pytest.raises(OSError):
        listener.previewed(Previewed(5, pictures(16, 16, 1)))

    assert (read(folder, "000005.png") == before).all()
