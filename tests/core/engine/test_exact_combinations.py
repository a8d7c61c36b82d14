"""Runs with much of what changes a training at once, stopped at odd places, equal those in one go to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.checkpoints import tensor_digests
from tests.combinations import AUGMENTED, AVERAGED, IGNORED, MASKED, STARTED, UNPAIRED
from tests.core.engine.test_exactness import UPDATES, records

import genlab

LAZY = ["losses.r1={weight=1, every=3}", "discriminator.norm=instance"]
WGAN_GP = ["method.discriminator_steps=3", "losses.adversarial.objective=wgan", "losses.gradient_penalty.weight=10"]
CYCLEGAN = [
    "method={name='cyclegan', identity=0.5, pool_size=3}",
    "losses={l1=false, adversarial={objective='lsgan'}, cycle={name='l1', weight=10}}",
    "evaluate.metrics.l1=false",
]
CASES = {
    "fresh batches, ignored labels, a frozen level": [
        *(*UPDATES, *WGAN_GP, *LAZY, IGNORED, STARTED, "input.resize=crop", "checkpoint.best=validation/l1"),
    ],
    "masks, float16, a changing weight": [
        *(MASKED, "input.resize=none", "train.precision=float16", "losses.l1.weight={to=100, over=0.6}"),
        "optimizer.clip=1",
    ],
    "cyclegan without pairs": [
        *(*CYCLEGAN, *LAZY, UNPAIRED, "input.resize=pad", "schedule.warmup=0.5"),
        "ema.roles=['generator_back', 'discriminator']",
        "optimizer.generator_back={name='sgd', momentum=0.9}",
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_in_parts_equals_the_whole(
    tiny: Path, combined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(combined)
    overrides = [*AVERAGED, AUGMENTED, *CASES[case], "inference.dropout=true", "train.steps=5"]
    whole = genlab.train(tiny, overrides=overrides, out=tmp_path / "whole").path
    parts = genlab.train(tiny, overrides=overrides, out=tmp_path / "parts", stop_at=1).path
    for stop in (3, None):
        torch.rand(3)  # whatever else the process does with random numbers
        genlab.resume(parts, stop_at=stop)
    assert tensor_digests(parts) == tensor_digests(whole)
    for event in ("step", "validation"):
        assert records(parts, event) == records(whole, event)
    assert any(name.endswith(".ema.safetensors") for name in tensor_digests(whole))
    assert len(records(whole)) == 5
