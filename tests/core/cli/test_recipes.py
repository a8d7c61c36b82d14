"""`gen recipes`."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import GenCommand


def test_a_recipe_is_copied_to_be_edited(gen: GenCommand, tmp_path: Path) -> None:
    copied = gen("recipes", "copy", "unet_facades", "mine.toml")
    assert copied.returncode == 0, copied.stderr
    assert "Label maps become photos of facades" in (tmp_path / "mine.toml").read_text()
    assert gen("check", "mine.toml", "--set", "data.name=drawn_facades").returncode == 0


def test_a_file_that_is_there_is_not_written_over(gen: GenCommand, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("mine")
    refused = gen("recipes", "copy", "unet_facades", "mine.toml")
    assert refused.returncode == 2
    assert "mine.toml" in refused.stderr
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_a_value_that_a_role_inherits_has_the_place_where_it_was_set(gen: GenCommand, tiny: Path) -> None:
    assignments = ["optimizer.learning_rate=1e-4", "optimizer.discriminator.learning_rate=4e-4"]
    shown = gen("recipes", "show", tiny, *(word for text in assignments for word in ("--set", text)))
    assert shown.returncode == 0, shown.stderr
    rates = [line.split("  # ")[1] for line in shown.stdout.splitlines() if line.startswith("learning_rate = ")]
    assert rates == [f"--set {text}" for text in assignments]
