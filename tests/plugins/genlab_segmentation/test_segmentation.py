"""The second method: a network that reads labels, through everything that a run is used for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.checkpoints import tensor_digests
from tests.conftest import GenCommand

import genlab
from genlab_facades.classes import PALETTE
from genlab_facades.drawn_facades import DrawnFacades
from genlab_segmentation.cross_entropy import CrossEntropy


def test_cross_entropy_of_target_classes_and_of_channels_is_the_same():
    rng = torch.Generator().manual_seed(0)
    labels, scores = torch.randint(5, (2, 8, 8), generator=rng), torch.randn(2, 5, 8, 8, generator=rng)
    target = torch.nn.functional.one_hot(labels, 5).movedim(-1, 1).float()
    loss = CrossEntropy()(torch.zeros(2, 3, 8, 8), target, scores)
    chosen = scores.log_softmax(dim=1).gather(1, labels[:, None])
    torch.testing.assert_close(loss, -chosen.mean())


def test_scores_that_say_nothing_cost_the_logarithm_of_the_number_of_classes():
    target = torch.eye(4).reshape(1, 4, 4, 1)
    loss = CrossEntropy()(torch.zeros(1, 3, 4, 1), target, torch.zeros(1, 4, 4, 1))
    assert loss.item() == pytest.approx(math.log(4))


def test_the_network_has_a_channel_for_every_class_and_scores_without_bounds(judge: Path):
    scores = genlab.open_run(judge).apply(torch.zeros(1, 3, 32, 32))
    assert scores.shape == (1, 12, 32, 32)
    assert genlab.open_run(judge).classes == PALETTE


def test_a_few_steps_teach_it_more_than_chance(good_judge: Path):
    metrics = genlab.open_run(good_judge).metrics
    assert metrics["validation/segmentation/pixel_accuracy"] > 0.5
    assert metrics["validation/segmentation/class_accuracy"] > 1.7 / 12
    assert metrics["gap/segmentation/class_iou"] == pytest.approx(
        metrics["validation/segmentation/class_iou"] - metrics["train/segmentation/class_iou"]
    )


def test_read_labels_are_classes_and_files_of_them_hold_both_indices_and_colors(
    good_judge: Path, gen: GenCommand, tmp_path: Path
):
    pair = DrawnFacades(size=45).open("validation")[0]
    labels = genlab.open_run(good_judge).predict(pair.a, size="stored")
    assert (labels.shape, labels.dtype) == ((45, 45), np.uint8)
    assert (labels == pair.b).mean() > 0.4
    Image.fromarray(pair.a).save(tmp_path / "photo.png")
    assert gen("predict", good_judge, "photo.png", "--out", "labels", "--size", "stored").returncode == 0
    with Image.open(tmp_path / "labels" / "photo.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), labels)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.array(PALETTE)[labels])


def test_it_resumes_exactly(judge_recipe: list[str], gen: GenCommand, tmp_path: Path):
    for out, *more in (["whole"], ["parts", "--stop-at", "1"]):
        assert gen("run", *judge_recipe, "--steps", 3, "--out", out, *more).returncode == 0
    assert gen("resume", "parts").returncode == 0
    assert tensor_digests(tmp_path / "parts") == tensor_digests(tmp_path / "whole")


def test_without_a_loss_or_with_images_as_targets(gen: GenCommand, judge_recipe: list[str]):
    nothing = gen("run", *judge_recipe, "--set", "losses.cross_entropy.weight=0")
    assert nothing.returncode == 2
    assert "needs a weight above 0" in nothing.stderr
    turned = gen("run", *judge_recipe, "--set", "input.direction=b_to_a")
    assert turned.returncode == 2
    assert "the target must be a label map; side a is an image" in turned.stderr


def test_its_networks_are_shown_with_the_classes(gen: GenCommand, judge_recipe: list[str]):
    shown = gen("show", *judge_recipe)
    assert "12 x 32 x 32" in shown.stdout, shown.stderr
