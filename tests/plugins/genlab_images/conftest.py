"""Images on disk for the datasets' tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Colour = int | tuple[int, ...]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write an image of one colour, or of two beside each other, to a path below `tmp_path`."""

    def write(
        path: str, *colours: Colour, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: object
    ) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new(mode, size, colours[0] if colours else 0)
        for index, colour in enumerate(colours):
            left = index * size[0] // len(colours)
            picture.paste(colour, (left, 0, left + size[0] // len(colours), size[1]))
        picture.save(file, **options)
        return file

    return write


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """The bytes of an image file: of one colour, or of an array."""

    def to_bytes(content: Colour | np.ndarray, size: tuple[int, int] = (8, 6), kind: str = "PNG") -> bytes:
        picture = Image.fromarray(content) if isinstance(content, np.ndarray) else Image.new("RGB", size, content)
        buffer = BytesIO()
        picture.save(buffer, kind)
        return buffer.getvalue()

    return to_bytes


@pytest.fixture(scope="session")
def facades() -> Path:
    """The real CMP Facades, side by side, which cannot be shipped."""
    root = os.environ.get("GENLAB_FACADES")
    if not root:
        pytest.skip("GENLAB_FACADES does not name the folder of the CMP Facades")
    return Path(root)
