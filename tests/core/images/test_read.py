"""What a file contains is what the reader gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.core.images.matrix import Written, kinds

from genlab.images.read import read_header, read_image
from genlab.images.source import ImageSource

KINDS = {kind.name: kind for kind in kinds()}


@pytest.fixture(params=KINDS)
def written(request: pytest.FixtureRequest) -> Written:
    return KINDS[request.param]


@pytest.mark.parametrize("as_bytes", [False, True], ids=["file", "bytes"])
def test_the_values_are_those_that_were_written(written: Written, as_bytes: bool, tmp_path: Path) -> None:
    written.write(tmp_path / "image")
    (path,) = tmp_path.iterdir()
    source = ImageSource(path.read_bytes(), "a row") if as_bytes else ImageSource.of(path)
    header = read_header(source)
    assert (header.height, header.width) == written.array.shape[:2]
    assert header.pixels.has_alpha == written.has_alpha
    assert header.pixels.bands == written.array.shape[2] - written.has_alpha
    assert header.pixels.dtype == str(written.array.dtype)
    whole = read_image(source, alpha="band")
    assert whole.dtype == written.array.dtype
    np.testing.assert_array_equal(whole, written.array)
    np.testing.assert_array_equal(read_image(source), written.array[..., : header.pixels.bands])
