"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.combinations import write_images


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums come out the same on every machine with the same instructions, and small networks train faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def combined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the paths of `tests.combinations` begin."""
    folder = tmp_path_factory.mktemp("combined")
    write_images(folder, Path(__file__).parents[2] / "assets" / "tiny.toml")
    return folder
