"""A training with losses that work together."""

from __future__ import annotations

import json
from pathlib import Path

from tests.checkpoints import tensor_digests

import genlab

SETTINGS = (
    "losses.adversarial.objective=wgan",
    "losses.gradient_penalty.weight=10",
    "losses.r1={weight=1, every=3}",
    "method.discriminator_steps=2",
    "discriminator.norm=instance",
    "train={steps=4, batch_size=2}",
    "evaluate={previews=1, validations=1}",
)


def test_penalties_are_applied_and_a_training_with_them_resumes_bit_for_bit(tiny: Path, tmp_path: Path) -> None:
    genlab.train(tiny, out=tmp_path / "whole", overrides=SETTINGS)
    genlab.train(tiny, out=tmp_path / "halved", overrides=SETTINGS, stop_at=2)
    genlab.resume(tmp_path / "halved")
    assert tensor_digests(tmp_path / "halved") == tensor_digests(tmp_path / "whole")
    lines = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    shown = [set(line["losses"]) for line in lines if line["event"] == "step"]
    game = {"discriminator/adversarial", "discriminator/gradient_penalty", "generator/adversarial", "generator/l1"}
    lazy = {*game, "discriminator_every_3/r1"}
    assert shown == [game, game, lazy, game]


def test_the_weights_that_change_are_in_the_log_and_the_others_are_not(tiny: Path, tmp_path: Path) -> None:
    changing = "losses.l1.weight={from=0, to=10, over=0.5}"
    run = genlab.train(tiny, out=tmp_path / "run", overrides=[changing, "train={steps=4, values_every=1}"]).path
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss_weights"] for line in lines if line["event"] == "step"] == [{"l1": w} for w in (0, 5, 10, 10)]
