"""Ten steps of variants of the tiny recipe give the losses that they gave when they were recorded.

So does the L1 score of the last validation, where it is one: with `[ema]`, it is that of the average of weights.

So a change that should not change any result shows if it does. After one that should:

    pytest tests/core/engine/test_recorded_losses.py --record-losses

and the difference of `tests/assets/losses/` tells by how much.

Figures need not be equal to the last bit: other processors sum in another order, and ten steps of training amplify
that. With the instruction sets of one x86 processor limited one by one (SSE 4.1, AVX2, AVX-512; with oneDNN and without
it; one thread and two) they differed by 2e-7 at most, two units in the last place. One gray level of one pixel of a
drawn photo, which another mathematics library may round the other way, makes 8e-6. A learning rate of 1% more, on the
other hand, makes 9e-5, and a dropout of 0.49 instead of 0.5 makes 2e-3. Hence a tolerance of 2e-5.
"""

import json

import pytest
from tests.combinations import AUGMENTED, AVERAGED, IGNORED, MASKED, STARTED
from tests.learning import losses

import genlab

TOLERANCE = 2e-5
TEN = "train.steps=10"
RECIPES = {
    "pix2pix": ["method.name=pix2pix"],
    "two_time_scales": [
        "optimizer={name='adafactor', clip=1}",
        "optimizer.discriminator={name='sgd', momentum=0.5, learning_rate=0.01, clip=0.5}",
        "schedule={name='step', at=[0.5], warmup=0.3}",
        "schedule.discriminator.name=cosine",
    ],
    "cyclegan": [
        "method.name=cyclegan",
        "method={identity=0.5, pool_size=3}",
        'losses={l1=false, adversarial={objective="lsgan"}, cycle={name="l1", weight=10}}',
    ],
    "segmentation": [
        "method.name=segmentation",
        "input.direction=a_to_b",
        "losses={adversarial=false, l1=false, cross_entropy={}}",
        "evaluate.metrics={l1=false, segmentation={}}",
    ],
    "bridge": ["method.name=bridge", "generator.time=true", "losses={adversarial=false, l1=false, l2={}}"],
    "ignored_labels": [
        *(*AVERAGED, AUGMENTED, IGNORED, STARTED, "input.resize=crop", "optimizer.clip=0.5", "schedule.warmup=0.5")
    ],
    "masks": [*AVERAGED, AUGMENTED, MASKED, "input.resize=pad", "method.discriminator_steps=2"],
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_losses_are_those_that_were_recorded(request, tiny, combined, tmp_path, monkeypatch, recipe):
    monkeypatch.chdir(combined)
    path = tiny.parent / "losses" / f"{recipe}.json"
    found = losses(tiny, tmp_path / "run", TEN, *RECIPES[recipe])
    assert len(found) == 10
    scores = genlab.open_run(tmp_path / "run").metrics
    found = [*found, {name: score for name, score in scores.items() if name == "validation/l1"}]
    if request.config.getoption("--record-losses"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n")
        pytest.skip(f"recorded in {path}")
    for step, (now, recorded) in enumerate(zip(found, json.loads(path.read_text()), strict=True), start=1):
        assert now == pytest.approx(recorded, rel=TOLERANCE), f"step {step}"


def test_the_tolerance_is_narrow_enough_to_notice_a_learning_rate_of_one_percent_more(tiny, tmp_path):
    first = losses(tiny, tmp_path / "first", TEN)[-1]
    assert losses(tiny, tmp_path / "other", TEN, "optimizer.learning_rate=2.02e-4")[-1] != pytest.approx(
        first, rel=TOLERANCE
    )
