"""What components load belongs to a run: other weights at the same place are noticed when it is resumed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.core.ablation.test_ablate import ablate
from tests.core.test_bad_input import plugin
from tests.manifests import edit_manifest, read_manifest

import genlab
from genlab import DataError, PluginError, RunError
from genlab.ablation.ablate import Ablation
from genlab.runs.path_fingerprint import MISSING, path_fingerprint

PARTS = """
from pathlib import Path

from genlab_losses.l1 import L1
from genlab_metrics.l1 import L1 as MeanAbsoluteError
from genlab_pix2pix.method import Pix2Pix
from genlab_pix2pix.unet import UNet


class Teacher(genlab.Network):
    def __init__(self, *, weights: Path, told: str = "") -> None:
        super().__init__()
        self.scale, self.told = float(weights.read_text()), told

    def fingerprint(self):
        return Path(self.told).read_text() if self.told else None


class Taught(genlab.Loss):
    def __init__(self, *, teacher: genlab.Network, folders: list[Path] = [], told: str = "") -> None:
        super().__init__()
        self.teacher, self.told = teacher, told

    def forward(self, condition, target, prediction):
        return self.teacher.scale * (prediction - target).abs().mean()

    def fingerprint(self):
        return Path(self.told).read_text() if self.told else None


class Loading(UNet):
    def __init__(self, in_channels: int, out_channels: int, *, weights: Path, told: str = "") -> None:
        super().__init__(in_channels=in_channels, out_channels=out_channels, levels=4, channels=4)
        self.told = told

    def fingerprint(self):
        return Path(self.told).read_text() if self.told else None


class Method(Pix2Pix):
    def __init__(self, networks, losses, *, weights: Path, told: str = "") -> None:
        super().__init__(networks, losses)
        self.told = told

    def fingerprint(self):
        return Path(self.told).read_text() if self.told else None


class Metric(MeanAbsoluteError):
    def __init__(self, *, weights: Path) -> None:
        super().__init__()


class Noter(genlab.Listener):
    def __init__(self, *, notes: Path) -> None:
        notes.write_text("noted")


@genlab.hookimpl
def genlab_register(registry):
    registry.network("teacher", Teacher)
    registry.loss("taught", Taught)
    registry.generator("loading", Loading)
    registry.method("method", Method)
    registry.metric("metric", Metric)
    registry.listener("noter", Noter)
"""

PLACES = {
    "losses.taught.teacher.weights": "teacher",
    "losses.taught.folders[0]": "folder/deep/file",
    "generator.weights": "generator",
    "method.weights": "method",
    "evaluate.metrics.metric.weights": "metric",
}


def overrides(at: Path) -> list[str]:
    return [
        f'losses.taught={{teacher={{name="teacher", weights="{at}/teacher"}}, folders=["{at}/folder"]}}',
        f'generator={{name="loading", weights="{at}/generator"}}',
        f'method={{name="method", weights="{at}/method"}}',
        f'evaluate.metrics.metric={{weights="{at}/metric"}}',
        f'listeners.noter={{notes="{at}/notes"}}',
    ]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of what the components load."""
    for name in PLACES.values():
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_text("1.0")
    return tmp_path / "files"


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """A plugin of components that load."""
    path = tmp_path / "mine.py"
    path.write_text(f"import genlab\n{PARTS}")
    return path


def test_other_weights_are_refused_where_they_are_named(tiny: Path, tmp_path: Path, files: Path, parts: Path) -> None:
    run = genlab.train(tiny, overrides=overrides(files), plugins=[parts], out=tmp_path / "run", stop_at=4).path
    known = read_manifest(run)["data"]["fingerprints"]
    assert known.keys() == {"train", "validation", *PLACES}
    for key, name in PLACES.items():
        (files / name).write_text("2.0")
        with pytest.raises(RunError) as caught:
            genlab.resume(run, allow_changed_data=True)
        assert f"changed since the run started: {key} ({files / name.partition('/')[0]})" in caught.value.what
        assert "Restore it, or start a new run" in str(caught.value.hint)
        (files / name).write_text("1.0")
    (files / "notes").write_text("other notes")
    done = genlab.resume(run)
    assert done.manifest.status == "finished"
    assert done.manifest.data.fingerprints == known
    assert not done.manifest.data.changes


def test_weights_that_moved_are_named_anew_and_others_are_not(
    tiny: Path, tmp_path: Path, files: Path, parts: Path
) -> None:
    run = genlab.train(tiny, overrides=overrides(files), plugins=[parts], out=tmp_path / "run", stop_at=2).path
    keys = [key for key in PLACES if "folders" not in key]
    for key in keys:
        (files / PLACES[key]).rename(tmp_path / PLACES[key])
    moved = [f'{key}="{tmp_path / PLACES[key]}"' for key in keys]
    done = genlab.resume(run, overrides=moved, stop_at=3).manifest
    assert done.step == 3
    assert not done.data.changes
    (tmp_path / "other").write_text("2.0")
    with pytest.raises(RunError, match=r"changed since the run started: generator\.weights "):
        genlab.resume(run, overrides=[f'generator.weights="{tmp_path}/other"'])
    with pytest.raises(RunError, match="a resume cannot change these values"):
        genlab.resume(run, overrides=["generator.name=unet"])


def test_a_run_from_before_weights_were_recorded_records_them_when_it_is_resumed(
    tiny: Path, tmp_path: Path, files: Path, parts: Path
) -> None:
    run = genlab.train(tiny, overrides=overrides(files), plugins=[parts], out=tmp_path / "run", stop_at=2).path
    data = read_manifest(run)["data"]
    known = data["fingerprints"]
    edit_manifest(run, data={**data, "fingerprints": {name: known[name] for name in ("train", "validation")}})
    resumed = genlab.resume(run, stop_at=4).manifest
    assert resumed.data.fingerprints == known
    assert not resumed.data.changes


def test_what_a_component_says_that_it_loads_is_compared(tiny: Path, tmp_path: Path, files: Path, parts: Path) -> None:
    keys = ["losses.taught", "losses.taught.teacher", "generator", "method"]
    told = {key: tmp_path / key for key in keys}
    for path in told.values():
        path.write_text("one")
    given = [*overrides(files), *(f'{key}.told="{path}"' for key, path in told.items())]
    run = genlab.train(tiny, overrides=given, plugins=[parts], out=tmp_path / "run", stop_at=2).path
    for key, path in told.items():
        assert read_manifest(run)["data"]["fingerprints"][key] == "one"
        path.write_text("two")
        with pytest.raises(RunError, match=r'changed since the run started: what [a-z]+ "[a-z]+" loads'):
            genlab.resume(run)
        path.write_text("one")
    assert genlab.resume(run, stop_at=3).manifest.step == 3


def test_a_fingerprint_that_is_no_text_is_a_fault_of_its_plugin(tiny: Path, tmp_path: Path) -> None:
    body = "class Mine(genlab.Metric):\n    higher_is_better = True\n" + "".join(
        f"    def {name}: ...\n" for name in ("update(self, condition, target, prediction)", "reset(self)")
    )
    body += "    def merge(self, other): ...\n    def compute(self): return 0.0\n    def fingerprint(self): return b'x'"
    mine = plugin(tmp_path, body, 'metric("mine", Mine)')
    with pytest.raises(PluginError, match=r"mine\.py breaks the contract: its `fingerprint` returns b'x'"):
        genlab.train(tiny, overrides=["evaluate.metrics.mine={}"], plugins=[mine], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_trial_with_other_weights_is_another_trial(tiny: Path, tmp_path: Path, files: Path, parts: Path) -> None:
    told = tmp_path / "told"
    told.write_text("one")
    recipe, given = tmp_path / "arms.toml", [*overrides(files), "train.steps=2", "evaluate.previews=1"]
    arms = '[ablation]\nseeds = [0]\nbaseline = "all"\nmetric = "validation/l1"\n[ablation.arms.all]\n'
    recipe.write_text(f'extends = "{tiny}"\n{arms}[ablation.arms.none]\ngenerator.told = "{told}"\n')

    def waiting() -> list[str]:
        planned = Ablation(recipe, tmp_path / "out", overrides=given, plugins=[parts])
        return [
            str(settled.trial)
            for settled in planned.trials
            if not planned.folder.finished(settled.trial.arm, settled.trial.seed, settled.identity)
        ]

    ablate(recipe, out=tmp_path / "out", overrides=given, plugins=[parts])
    assert waiting() == []
    told.write_text("two")
    assert waiting() == ["none, seed 0"]
    (files / "folder" / "deep" / "file").write_text("2.0")
    assert waiting() == ["all, seed 0", "none, seed 0"]


# What is at a path


def test_a_folder_counts_by_its_files_and_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "one").write_text("1")
    (folder / "deep" / "two").write_text("2")
    first = path_fingerprint(folder)
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / ".DS_Store").write_text("hidden")
    (tmp_path / "copy" / ".git").mkdir()
    (tmp_path / "copy" / ".git" / "HEAD").write_text("hidden")
    assert path_fingerprint(tmp_path / "copy") == first
    (folder / "deep" / "two").rename(folder / "two")
    moved = path_fingerprint(folder)
    (folder / "two").write_text("3")
    assert len({first, moved, path_fingerprint(folder)}) == 3


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    folder, blobs = tmp_path / "snapshot", tmp_path / "blobs"
    folder.mkdir()
    blobs.mkdir()
    (blobs / "weights").write_text("1")
    (folder / "weights").symlink_to(blobs / "weights")
    (folder / "more").symlink_to(blobs)
    (folder / "loop").symlink_to(folder)
    first = path_fingerprint(folder)
    (blobs / "weights").write_text("2")
    assert path_fingerprint(folder) != first


def test_nothing_at_a_path_is_a_state_too(tmp_path: Path) -> None:
    assert path_fingerprint(tmp_path / "nothing") == MISSING


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file") as caught:
        path_fingerprint(tmp_path / "pipe")
    assert caught.value.where == str(tmp_path / "pipe")


def test_a_run_counts_by_what_it_predicts(judge: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(judge, tmp_path / "judge"))
    known = genlab.open_run(run).fingerprint()
    (run / "metrics.jsonl").write_text("")
    edit_manifest(run, title="Another")
    assert path_fingerprint(run) == known == path_fingerprint(judge)
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(RunError, match="has no checkpoint yet") as caught:
        path_fingerprint(run)
    assert caught.value.where == str(run)
