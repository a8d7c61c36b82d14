"""A run is one process's: what `torchrun` starts several times is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import genlab
from genlab import GenlabError
from genlab.util.environment import refuse_several_processes


@pytest.fixture
def paused(tiny: Path, tmp_path: Path) -> Path:
    """A run that can be resumed."""
    return genlab.train(tiny, out=tmp_path / "paused", stop_at=1).path


def test_every_verb_that_trains_refuses(
    paused: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "arms.toml"
    recipe.write_text(f'extends = "{tiny}"\n[ablation]\nbaseline = "a"\n[ablation.arms]\na = {{}}\nb.train.steps = 1\n')
    monkeypatch.setenv("WORLD_SIZE", "2")
    for train in (
        lambda: genlab.train(tiny, out=tmp_path / "run"),
        lambda: genlab.resume(paused),
        lambda: genlab.ablate(recipe, out=tmp_path / "ablation"),
    ):
        with pytest.raises(GenlabError, match="WORLD_SIZE is 2: this is one of 2 processes") as caught:
            train()
        assert "`gen ablate RECIPE --jobs N`" in str(caught.value.hint)
    assert {path.name for path in tmp_path.iterdir()} == {"arms.toml", "paused"}
    assert genlab.open_run(paused).manifest.step == 1


@pytest.mark.parametrize(
    ("rank", "size", "port"), [("5", "2", "29533"), ("0", "0", "29533"), ("0", "2", "some"), ("0", "2", "99999")]
)
def test_variables_of_a_launcher_that_cannot_be_true_are_named(
    rank: str, size: str, port: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GenlabError, match=r"RANK is \d, and WORLD_SIZE|MASTER_PORT is"):
        genlab.train(tiny, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("count", ["", "1", " 1 ", "auto"])
def test_a_single_process_is_not_refused(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", count)
    monkeypatch.setenv("SLURM_NTASKS", "8")
    refuse_several_processes()
