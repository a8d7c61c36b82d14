"""What a shell offers for a word that is begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import GenCommand


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with recipes, runs and an ablation."""
    for run in ("runs/first", "runs/study/skips/seed-0", "mine"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "run.json").touch()
    (tmp_path / "runs/study/report.json").touch()
    (tmp_path / "runs/notes").mkdir()
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/faces.toml").write_text('extends = "unet_facades"\n[losses.mine]\nname = "l1"\n')
    (tmp_path / "unet_own.toml").write_text("[train\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("run unet_f", ["unet_facades", "unet_facades_small", "unet_folder"]),
        ("check unet_o", ["unet_own.toml"]),
        ("show rec", ["recipes/faces.toml"]),
        ("resume ", ["mine", "runs/first", "runs/study/skips/seed-0"]),
        ("predict ./m", ["./mine"]),
        ("board runs/", ["runs/study", "runs/first", "runs/study/skips/seed-0"]),
        ("run unet_facades --set optimizer.b", ["optimizer.betas="]),
        (
            "run --device cpu unet_facades --set seed=1 --set generator.dro",
            ["generator.dropout=", "generator.dropout_blocks="],
        ),
        ("run recipes/faces.toml --set losses.m", ["losses.mine.name="]),
        ("run unet_own.toml --set schedule.n", ["schedule.name="]),
        ("run nothing --set see", ["seed="]),
        ("run unet_facades --set data.root=re", []),
        ("help plugins n", ["new"]),
    ],
)
def test_what_is_offered(words: str, offered: list[str], folder: Path, gen: GenCommand) -> None:
    typed = ["gen", *words.split(" ")]
    done = gen(_GEN_COMPLETE="complete_bash", COMP_WORDS="\n".join(typed), COMP_CWORD=str(len(typed) - 1))
    assert done.stdout.split() == offered
    assert done.stderr == ""
