"""Generated photos judged by whether their labels can be read back."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import GenCommand
from tests.manifests import edit_manifest, read_manifest

import genlab
from genlab_facades.classes import PALETTE
from genlab_facades.drawn_facades import DrawnFacades
from genlab_segmentation.label_recovery import LabelRecovery

COLORS = np.array(PALETTE, np.uint8)


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1


def drawn(count: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Label maps in colors, and their photos."""
    pairs = DrawnFacades(size=32).open("validation")
    return [(tensor(COLORS[pairs[index].b]), tensor(pairs[index].a)) for index in range(count)]


def recovered(judge: Path, *triples: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> dict[str, float]:
    metric = LabelRecovery(judge=judge)
    for triple in triples:
        metric.update(*triple)
    return dict(metric.compute())


def test_real_photos_recover_their_labels_as_well_as_real_photos(good_judge: Path):
    found = recovered(good_judge, *((labels, photo, photo) for labels, photo in drawn()))
    for score in ("pixel_accuracy", "class_accuracy", "class_iou"):
        assert found[score] == found[f"real_{score}"]
    assert found["pixel_accuracy"] > 0.5


def test_shuffled_photos_and_noise_recover_little(good_judge: Path):
    pairs = drawn(8)
    photos = [photo for _, photo in pairs]
    shuffled = recovered(good_judge, *zip([p[0] for p in pairs], photos, [*photos[1:], photos[0]], strict=True))
    noise = recovered(good_judge, *((labels, photo, torch.rand_like(photo) * 2 - 1) for labels, photo in pairs))
    for found in (shuffled, noise):
        assert found["class_iou"] < 0.75 * found["real_class_iou"]
        assert found["pixel_accuracy"] < found["real_pixel_accuracy"] - 0.1


def test_labels_are_the_nearest_colors_as_jpeg_blurs_them(good_judge: Path):
    (labels, photo), *_ = drawn(1)
    picture = ((labels[0].permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8).numpy()
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=75, subsampling=0)  # with, at this size, little would be left
    blurred = tensor(np.asarray(Image.open(file)))
    assert not torch.equal(blurred, labels)
    exact, near = (recovered(good_judge, (seen, photo, photo)) for seen in (labels, blurred))
    assert near["pixel_accuracy"] == pytest.approx(exact["pixel_accuracy"], abs=0.05)


def test_pixels_that_do_not_count_are_left_out(judge: Path):
    """They may have a color that the judge does not know."""
    (labels, photo), (_, other) = drawn(2)
    mask = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)) < 0.7
    shown = torch.where(mask, labels, torch.tensor([224, 224, 192]).view(3, 1, 1) / 127.5 - 1)
    metric = LabelRecovery(judge=judge)
    metric.update_masked(shown, photo, torch.where(mask, other, photo), mask)
    known = [tuple(color) for color in COLORS.tolist()]
    maps = ((labels[0] + 1) * 127.5).round().int().permute(1, 2, 0)[mask[0, 0]]
    of_each = [sum(tuple(color) == name for color in maps.tolist()) for name in known]
    assert metric._predicted.counts.sum(dim=1).tolist() == of_each
    assert metric._real.counts.sum(dim=1).tolist() == of_each
    with pytest.raises(genlab.DataError, match="does not have the colors"):
        recovered(judge, (shown, photo, photo))


def test_a_condition_of_other_colors_is_refused(judge: Path):
    (labels, photo), *_ = drawn(1)
    with pytest.raises(genlab.DataError, match="does not have the colors of the classes that the judge"):
        recovered(judge, (photo, labels, labels))
    with pytest.raises(genlab.DataError, match="does not have the colors"):
        recovered(judge, (labels[:, :1], photo, photo))
    with pytest.raises(genlab.DataError, match="reads images of 3 channels, and these have 1"):
        recovered(judge, (labels, photo[:, :1], photo[:, :1]))


def test_clean_labels_of_another_palette_are_refused_however_near(judge: Path, tmp_path: Path):
    """Four classes of twelve, each moved by what JPEG would move it."""
    (labels, photo), *_ = drawn(1)
    with pytest.raises(genlab.DataError, match="does not have the colors"):
        recovered(judge, ((labels + 0.1).clamp(-1, 1), photo, photo))


def test_a_judge_whose_classes_were_cut(judge: Path, tmp_path: Path):
    shutil.copytree(judge, tmp_path / "judge")
    edit_manifest(tmp_path / "judge", classes=read_manifest(judge)["classes"][:6])
    labels = torch.tensor(PALETTE[1]).reshape(1, 3, 1, 1).expand(1, 3, 32, 32) / 127.5 - 1
    with pytest.raises(genlab.DataError, match=r"gives scores of 12 classes, and its run\.json has 6"):
        recovered(tmp_path / "judge", (labels, labels, labels))


def test_the_fingerprint_is_that_of_the_weights_that_judge(judge: Path, good_judge: Path, tmp_path: Path):
    """Whatever lies there when it is asked for."""
    shutil.copytree(judge, tmp_path / "judge")
    metric = LabelRecovery(judge=tmp_path / "judge")
    (labels, photo), *_ = drawn(1)
    metric.update(labels, photo, photo)
    shutil.rmtree(tmp_path / "judge")
    shutil.copytree(good_judge, tmp_path / "judge")
    assert metric.fingerprint() == LabelRecovery(judge=judge).fingerprint()
    assert LabelRecovery(judge=tmp_path / "judge").fingerprint() == LabelRecovery(judge=good_judge).fingerprint()


def test_a_judge_whose_weights_are_broken_is_named(judge: Path, tmp_path: Path):
    shutil.copytree(judge, tmp_path / "judge")
    next((tmp_path / "judge").glob("checkpoints/*/generator.safetensors")).write_bytes(b"none")
    with pytest.raises(genlab.DataError, match="the judge cannot be used") as caught:
        LabelRecovery(judge=tmp_path / "judge").fingerprint()
    assert caught.value.where == str(tmp_path / "judge")


def test_images_of_another_size_than_the_judge_knows_are_told_once(judge: Path, caplog: pytest.LogCaptureFixture):
    (labels, photo), *_ = drawn(1)
    larger = [torch.nn.functional.interpolate(side, 64, mode="nearest") for side in (labels, photo, photo)]
    recovered(judge, tuple(larger), tuple(larger))
    (record,) = caplog.records
    assert "was trained on images of 32 x 32, and is to judge 64 x 64" in record.getMessage()


JUDGED = ("--set", "evaluate.metrics.label_recovery.judge=judge", "--set", "generator.levels=5")


def test_a_run_names_its_judge_and_gives_every_score(gen: GenCommand, tiny: Path, judge: Path, tmp_path: Path):
    shutil.copytree(judge, tmp_path / "judge")
    done = gen("run", tiny, *JUDGED, "--set", "listeners.console={}", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert f"label_recovery  judged by {tmp_path / 'judge'} (2 steps, weights " in done.stderr
    assert "label_recovery/pixel_accuracy" in done.stderr
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    for side in ("validation", "train", "gap"):
        for score in LabelRecovery.scores:
            assert f"{side}/label_recovery/{score}" in manifest["metrics"]


def test_another_judge_is_not_gone_on_with(gen: GenCommand, tiny: Path, judge: Path, good_judge: Path, tmp_path: Path):
    shutil.copytree(judge, tmp_path / "judge")
    assert gen("run", tiny, *JUDGED, "--out", "run", "--stop-at", 2).returncode == 0
    shutil.rmtree(tmp_path / "judge")
    shutil.copytree(good_judge, tmp_path / "judge")
    refused = gen("resume", "run")
    assert refused.returncode == 2
    assert "changed since the run started: the metric label_recovery (judged by " in refused.stderr


def test_what_cannot_be_a_judge_is_told_at_its_line(gen: GenCommand, tiny: Path, judge: Path, tmp_path: Path):
    missing = gen("run", tiny, *JUDGED)
    assert missing.returncode == 2
    assert "evaluate.metrics.label_recovery.judge=judge" in missing.stderr
    assert "there is no such folder. For photos of facades: `gen run label_judge_small --out " in missing.stderr

    assert gen("run", tiny, "--out", "judge", "--steps", 1).returncode == 0
    painter = gen("run", tiny, *JUDGED)
    assert "predicts images; expected a run of the method segmentation" in painter.stderr

    shutil.rmtree(tmp_path / "judge")
    shutil.copytree(judge, tmp_path / "judge")
    edit_manifest(tmp_path / "judge", status="paused")
    unfinished = gen("run", tiny, *JUDGED)
    assert "is paused; expected a finished run" in unfinished.stderr
    for told in (missing, painter, unfinished):
        assert "Traceback" not in told.stderr


def test_a_photo_where_labels_should_be_is_told_before_anything_is_trained(
    gen: GenCommand, tiny: Path, judge: Path, tmp_path: Path
):
    values = [
        f"evaluate.metrics.label_recovery.judge={judge}",
        "input.direction=a_to_b",
        'ablation={baseline="a", arms={a={}, b={generator={skips=false}}}}',
    ]
    turned = [word for value in values for word in ("--set", value)]
    for verb, given in (("run", turned[:4]), ("ablate", turned)):
        told = gen(verb, tiny, *given, "--out", "out")
        assert told.returncode == 2
        assert "does not have the colors of the classes" in told.stderr
        assert "Traceback" not in told.stderr
        assert not (tmp_path / "out").exists()


def test_a_judge_is_read_from_the_checkpoint_that_is_named(judge: Path):
    step = genlab.open_run(judge, device="cpu").step
    assert f"({step} steps" in LabelRecovery(judge=judge, checkpoint=step).description()
    with pytest.raises(ValueError, match=rf"no checkpoint of step 99. Its checkpoints, by step: {step} \(last\)"):
        LabelRecovery(judge=judge, checkpoint=99)
