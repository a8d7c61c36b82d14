"""What is written is read again, value for value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.core.images.matrix import pattern

from genlab.images import write
from genlab.images.read import read_header, read_image
from genlab.images.source import ImageSource
from genlab.images.write import image_suffix, write_image

TYPES = ("uint8", "uint16", "uint32", "int16", "int32", "float32")


@pytest.mark.parametrize("has_extra", [True, False])
@pytest.mark.parametrize("bands", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("dtype", TYPES)
def test_what_is_written_is_read_again(
    dtype: str, bands: int, has_extra: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_extra:
        monkeypatch.setattr(write, "find_spec", lambda _name: None)
    array = pattern(dtype, bands)
    path = (tmp_path / "image").with_suffix(image_suffix(array))
    write_image(path, array)
    source = ImageSource.of(path)
    assert not read_header(source).pixels.has_alpha
    found = read_image(source)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
