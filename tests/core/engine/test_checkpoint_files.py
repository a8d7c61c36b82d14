"""Names of a checkpoint's files."""

from __future__ import annotations

from pathlib import Path

from genlab.engine.checkpoint_files import (
    average_file,
    losses_file,
    method_file,
    network_file,
    optimizer_file,
    role_of,
    state_file,
)


def test_of_all_files_those_of_networks_have_a_role() -> None:
    folder, role = Path("00000008"), "generator_back"
    others = [of(folder, role) for of in (optimizer_file, average_file)]
    others += [of(folder) for of in (state_file, losses_file, method_file)]
    assert role_of(network_file(folder, role).name) == role
    assert [role_of(file.name) for file in others] == [None] * 5
