from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tests.manifests import edit_manifest

import genlab
from genlab_features.trained_run import TrainedRun

IMAGE = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_features_are_those_of_the_runs_generator(judge: Path):
    network, generator = TrainedRun(run=judge), genlab.open_run(judge, device="cpu").generator
    assert network.feature_channels == generator.feature_channels
    found, expected = network.features(IMAGE), generator.features(IMAGE)
    assert len(found) == len(generator.feature_channels) > 1
    assert all(map(torch.equal, found, expected))
    assert torch.equal(network(IMAGE), expected[-1])


def test_gradients_reach_the_image(judge: Path):
    image = IMAGE.clone().requires_grad_()
    TrainedRun(run=judge)(image).square().mean().backward()
    assert image.grad.any()


def test_what_is_no_finished_run_is_named(judge: Path, tmp_path: Path):
    with pytest.raises(ValueError, match=r"nowhere: .*\. Train one with gen run RECIPE --out \S*nowhere"):
        TrainedRun(run=tmp_path / "nowhere")
    shutil.copytree(judge, tmp_path / "stopped")
    edit_manifest(tmp_path / "stopped", status="paused")
    with pytest.raises(ValueError, match="stopped is paused; expected a finished run"):
        TrainedRun(run=tmp_path / "stopped")


def test_images_of_other_channels_are_refused(judge: Path):
    with pytest.raises(genlab.TrainingError, match="reads images of 3 channels, got 1"):
        TrainedRun(run=judge).features(IMAGE[:, :1])


def test_another_checkpoint_than_the_last_is_chosen_and_has_a_hash(judge: Path):
    assert TrainedRun(run=judge).fingerprint() is None, "the path has one"
    step = genlab.open_run(judge, device="cpu").step
    assert TrainedRun(run=judge, checkpoint=step).fingerprint() == genlab.open_run(judge, device="cpu").fingerprint()
    with pytest.raises(ValueError, match=rf"no checkpoint of step 99. Its checkpoints, by step: {step} \(last\)"):
        TrainedRun(run=judge, checkpoint=99)
    with pytest.raises(ValueError, match="has no best checkpoint"):
        TrainedRun(run=judge, checkpoint="best")
