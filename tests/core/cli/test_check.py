"""`gen check` on data that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import GenCommand

FOLDER = 'name="side_by_side", root="{root}"'


@pytest.mark.parametrize(
    ("data", "key"),
    [(f"{{{FOLDER}}}", "data.root"), (f'{{name="gray", source={{{FOLDER}}}}}', "data.source.root")],
    ids=["itself", "as a source"],
)
def test_a_folder_that_is_not_there_is_warned_of(
    gen: GenCommand, tiny: Path, tmp_path: Path, data: str, key: str
) -> None:
    for root in (tmp_path / "nowhere", tmp_path):
        done = gen("check", tiny, "--set", "data=" + data.replace("{root}", str(root)))
        assert done.returncode == 0, done.stderr
        assert (f"warning: {key}: {root} does not exist" in done.stderr) is (root != tmp_path)
