"""What a run keeps of its augmentations, and what an ablation checks of them in every arm."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.core.test_bad_input import plugin
from tests.manifests import read_manifest

import genlab
from genlab import RecipeError, RunError

STENCIL = '''
from pathlib import Path

class Stencil(genlab.Augmentation):
    """Leaves images as they are, whatever is in a file.

    Args:
        file: is read.
    """

    draw_count = 0

    def __init__(self, *, file: Path) -> None:
        self.content = file.read_bytes()

    def apply(self, images, side, draws):
        return images
'''


def test_what_an_augmentation_loads_is_hashed_and_held_to(tiny: Path, tmp_path: Path) -> None:
    given, file = plugin(tmp_path, STENCIL, 'augmentation("stencil", Stencil)'), tmp_path / "stencil.bin"
    file.write_bytes(b"first")
    values = [f"augment.stencil.file={file}", "train.steps=2"]
    run = genlab.train(tiny, overrides=values, plugins=[given], out=tmp_path / "run", stop_at=1)
    assert run.manifest.facts["augment"] == "jitter, flip, stencil"
    assert "augment.stencil.file" in read_manifest(run.path)["data"]["fingerprints"]
    assert "mine.py" in run.manifest.plugins
    file.write_bytes(b"second")
    with pytest.raises(RunError, match=r"changed since the run started: augment\.stencil\.file"):
        genlab.resume(run.path)
    file.unlink()
    assert genlab.open_run(run.path).step == 1, "predictions do without it"


def test_every_arm_is_checked_before_the_first_trial(tiny: Path, tmp_path: Path) -> None:
    arms = "ablation={baseline='plain', metric='validation/l1', arms={plain={}, turned={augment={d4={}}}}}"
    with pytest.raises(RecipeError, match="it turns square images, and these are 32 x 16"):
        genlab.plan_ablation(tiny, overrides=[arms, "input.size=[32, 16]"], out=tmp_path / "ablation")
