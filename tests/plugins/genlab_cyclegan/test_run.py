"""Runs of the method on drawn facades: without pairs, resumed to the last bit, and predicting both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.core.engine.test_exactness import assert_same, contents, records

import genlab

CYCLEGAN = [
    'method={name="cyclegan", identity=0.5, pool_size=2}',
    'losses={l1=false, adversarial={objective="lsgan"}, cycle={name="l1", weight=10}}',
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight steps in one go."""
    tiny = Path(__file__).parents[2] / "assets" / "tiny.toml"
    return genlab.train(tiny, overrides=CYCLEGAN, out=tmp_path_factory.mktemp("cyclegan") / "whole").path


def test_it_trains_without_pairs(whole: Path) -> None:
    assert "drawn without pairs" in genlab.open_run(whole).manifest.facts["data"]


def test_a_run_in_parts_equals_the_whole(whole: Path, tiny: Path, tmp_path: Path) -> None:
    parts = genlab.train(tiny, overrides=CYCLEGAN, out=tmp_path / "parts", stop_at=5).path
    genlab.resume(parts)
    assert_same(parts, whole)
    assert records(parts) == records(whole)
    assert {f"method.safetensors/pool/{role}" for role in ("discriminator", "discriminator_back")} <= {*contents(whole)}


def test_it_predicts_both_ways(whole: Path) -> None:
    run = genlab.open_run(whole)
    rng = np.random.default_rng(0)
    photo, labels = rng.integers(0, 256, (2, 36, 36, 3), dtype=np.uint8)  # as the pairs are stored
    there, back = run.predict(labels), run.predict(photo, to="a")
    assert there.shape == back.shape == (32, 32, 3)
    assert not np.array_equal(there, run.predict(photo))
