"""What is recorded of the software that a result depends on."""

from __future__ import annotations

from importlib import metadata

import pytest

from genlab.runs.provenance import library_versions


@pytest.mark.parametrize("reader", ["pillow", "tifffile", "imagecodecs"])
def test_the_readers_of_images_are_recorded(reader: str) -> None:
    pytest.importorskip(reader.replace("pillow", "PIL"))
    assert library_versions()[reader] == metadata.version(reader)


def test_a_reader_that_is_not_installed_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version

    def without_tiff(name: str) -> str:
        if name in ("tifffile", "imagecodecs"):
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without_tiff)
    assert not {"tifffile", "imagecodecs"} & library_versions().keys()
