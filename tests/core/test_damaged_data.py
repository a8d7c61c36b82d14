"""Data that cannot be read, that break while a run trains, that change, and that move."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.checkpoints import tensor_digests

import genlab
from genlab import DataError, RunError
from genlab.data.read_through import ReadThroughCache

GenCommand = Callable[..., subprocess.CompletedProcess[str]]
MakePairs = Callable[..., Path]

BREAKS = """
genlab_interface = "1.0"
import genlab
from pathlib import Path

class Breaks(genlab.Listener):
    def __init__(self, file: Path) -> None:
        self.file = file

    def step(self, event):
        if event.step == 3:
            self.file.write_bytes(self.file.read_bytes()[:200])

@genlab.hookimpl
def genlab_register(registry):
    registry.listener("breaks", Breaks)
"""


def truncate(file: Path) -> bytes:
    """Cut a file off in its middle, and return what it was."""
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    return whole


def of(root: Path) -> str:
    return f'data={{name="side_by_side", root="{root}"}}'


@pytest.fixture
def uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair is decoded whenever it is needed, as of a set that is larger than memory and cache."""
    monkeypatch.setenv("GENLAB_CACHE", "off")
    monkeypatch.setattr(ReadThroughCache, "_keep", lambda *_: None)


# At the start


def test_all_that_cannot_be_decoded_is_told_before_a_run_begins(
    gen: GenCommand, tiny: Path, tmp_path: Path, make_pairs: MakePairs
) -> None:
    root = make_pairs(count=12)
    broken = [root / "train" / "9.png", root / "train" / "2.png", root / "val" / "5.png"]
    for file in broken:
        truncate(file)
    failed = gen("run", tiny, "--set", of(root), "--steps", "24", "--out", "run")
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: 3 pairs cannot be used\n")
    for file in broken:
        assert failed.stderr.count(f"  {file}: the image cannot be read: image file is truncated") == 1
    assert not (tmp_path / "run").exists()


def test_gen_data_lists_all_that_cannot_be_decoded(gen: GenCommand, tiny: Path, make_pairs: MakePairs) -> None:
    root = make_pairs(count=12)
    broken = [root / "train" / "9.png", root / "train" / "2.png", root / "val" / "5.png"]
    for file in broken:
        truncate(file)
    failed = gen("data", tiny, "--set", of(root))
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: 3 of 24 pairs cannot be used\n")
    assert all(str(file) in failed.stderr for file in broken)


def test_broken_headers_and_broken_pixels_are_told_at_once(tiny: Path, make_pairs: MakePairs) -> None:
    root = make_pairs(count=4)
    (root / "train" / "1.png").write_bytes(b"no image")
    (root / "train" / "3.png").write_bytes(b"")
    truncate(root / "train" / "0.png")
    with pytest.raises(DataError, match="3 of 4 images cannot be used") as caught:
        genlab.train(tiny, overrides=[of(root)])
    assert f"{root / 'train' / '0.png'}: the image cannot be read: image file is truncated" in str(caught.value)
    assert f"{root / 'train' / '1.png'}: the image cannot be read: unknown format" in str(caught.value)
    assert f"{root / 'train' / '3.png'}: the image cannot be read: it is empty" in str(caught.value)


def test_of_very_many_faults_the_first_are_told(tiny: Path, make_pairs: MakePairs) -> None:
    root = make_pairs(count=30)
    for file in (root / "train").iterdir():
        truncate(file)
    with pytest.raises(DataError, match="30 pairs cannot be used") as caught:
        genlab.train(tiny, overrides=[of(root), "train.steps=60"])
    assert str(caught.value).count("is truncated") == 20
    assert "  and 10 more" in str(caught.value)


def test_pairs_that_a_run_never_reads_are_not_read_for_it(tiny: Path, tmp_path: Path, make_pairs: MakePairs) -> None:
    root = make_pairs(count=200)
    seen: list[tuple[int, int]] = []
    settings = [of(root), "train.steps=2", "evaluate.pairs=3", "evaluate.preview_pairs=2"]
    genlab.train(tiny, overrides=settings, out=tmp_path / "run", on_progress=lambda *now: seen.append(now))
    pairs = 2 * genlab.read_recipe(tiny).recipe.settings.train.batch_size
    assert seen[-1][0] == seen[-1][1] <= pairs + 3 + 2 + 3
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))


def test_pairs_that_change_while_they_are_read_are_refused_and_not_kept(
    tiny: Path, tmp_path: Path, make_pairs: MakePairs
) -> None:
    root = make_pairs(count=300)
    last = root / "train" / "299.png"  # read by the second batch of the check

    def replace(done: int, _total: int) -> None:
        if done == 1:
            Image.fromarray(np.zeros((36, 72, 3), np.uint8)).save(last)

    settings = [of(root), "train.steps=600"]
    with pytest.raises(DataError, match="changed while they were read"):
        genlab.train(tiny, overrides=settings, out=tmp_path / "run", on_progress=replace)
    assert not (tmp_path / "run").exists()
    kept = genlab.inspect_cache(tiny, overrides=settings)
    assert kept is not None
    assert kept.mine == ()


def test_validation_on_the_training_pairs_is_warned_of(tiny: Path, tmp_path: Path, make_pairs: MakePairs) -> None:
    data = f'data={{name="side_by_side", root="{make_pairs()}", validation="train"}}'
    run = genlab.train(tiny, overrides=[data, "train.steps=1"], out=tmp_path / "run")
    warnings = [fact for name, fact in run.manifest.facts.items() if name.startswith("warning")]
    assert any("validation pairs are the training pairs" in warning for warning in warnings)


# While a run trains


@pytest.mark.usefixtures("uncached")
def test_a_file_that_breaks_stops_the_run_saved_and_restored_it_goes_on_exactly(
    tiny: Path, tmp_path: Path, make_pairs: MakePairs
) -> None:
    root = make_pairs(count=3)
    file = root / "train" / "1.png"
    whole = file.read_bytes()
    (tmp_path / "breaks.py").write_text(BREAKS)
    settings = [of(root), "train.batch_size=1", f'listeners.breaks.file="{file}"']
    with pytest.raises(DataError, match="cannot be read") as caught:
        genlab.train(tiny, overrides=settings, plugins=[tmp_path / "breaks.py"], out=tmp_path / "run")
    assert "The run is saved. Restore the data and `gen resume`" in str(caught.value)
    assert genlab.open_run(tmp_path / "run").manifest.status == "failed"
    with pytest.raises(DataError, match="cannot be read"):
        genlab.resume(tmp_path / "run")
    file.write_bytes(whole)
    resumed = genlab.resume(tmp_path / "run")
    undisturbed = genlab.train(tiny, overrides=settings[:2], out=tmp_path / "undisturbed")
    assert resumed.manifest.status == "finished"
    assert tensor_digests(resumed.path) == tensor_digests(undisturbed.path)
    assert resumed.manifest.data.changes == []


# Between two trainings


def test_data_that_changed_are_accepted_on_demand_and_recorded(
    gen: GenCommand, tiny: Path, tmp_path: Path, make_pairs: MakePairs
) -> None:
    root = make_pairs(count=3)
    genlab.train(tiny, overrides=[of(root)], out=tmp_path / "run", stop_at=3)
    before = genlab.open_run(tmp_path / "run").manifest.data.fingerprints
    Image.fromarray(np.zeros((36, 72, 3), np.uint8)).save(root / "train" / "1.png")
    refused = gen("resume", "run")
    assert refused.returncode == 2
    assert "gen resume run --allow-changed-data" in refused.stderr
    done = gen("resume", "run", "--allow-changed-data")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    (change,) = record["changes"]
    assert (change["step"], change["fingerprints"]) == (3, before)
    assert record["fingerprints"]["train"] != before["train"]
    assert record["fingerprints"]["validation"] == before["validation"]
    assert len(genlab.open_run(tmp_path / "run").validation_pairs()) == 3


def test_the_setting_of_moved_data_is_named_wherever_it_is(tiny: Path, tmp_path: Path, make_pairs: MakePairs) -> None:
    root = make_pairs(count=3)
    for file in root.rglob("*.png"):
        Image.fromarray(np.kron(np.eye(36, 72, dtype=np.uint8)[..., None] * 255, np.ones(3, np.uint8))).save(file)
    source = f'{{name="side_by_side", root="{root}"}}'
    data = f'data={{name="labels_from_colors", palette=[[0, 0, 0], [255, 255, 255]], source={source}}}'
    out = tmp_path / "my run"
    genlab.train(tiny, overrides=[data], out=out, stop_at=1)
    root.rename(tmp_path / "moved")
    with pytest.raises(genlab.DataError) as caught:
        genlab.resume(out)
    assert f"gen resume '{out}' --set data.source.root=NEW_PLACE" in str(caught.value.hint)
    resumed = genlab.resume(out, overrides=[f"data.source.root={tmp_path / 'moved'}"])
    assert resumed.manifest.status == "finished"


def test_data_that_moved_are_found_and_stay_found(
    gen: GenCommand, tiny: Path, tmp_path: Path, make_pairs: MakePairs
) -> None:
    root = make_pairs(count=3)
    undisturbed = genlab.train(tiny, overrides=[of(root)], out=tmp_path / "undisturbed")
    genlab.train(tiny, overrides=[of(root)], out=tmp_path / "run", stop_at=3)
    moved = root.rename(tmp_path / "moved")
    lost = gen("resume", "run")
    assert lost.returncode == 2
    assert "gen resume run --set data.root=NEW_PLACE" in lost.stderr
    done = gen("resume", "run", "--set", f"data.root={moved}")
    assert done.returncode == 0, done.stderr
    resumed = genlab.open_run(tmp_path / "run")
    assert tensor_digests(resumed.path) == tensor_digests(undisturbed.path)
    assert str(moved) in resumed.manifest.data.training
    assert resumed.manifest.data.changes == []
    assert len(resumed.validation_pairs()) == 3, "the run's recipe says where they are now"


def test_other_data_in_the_new_place_are_refused_and_nothing_is_changed(
    tiny: Path, tmp_path: Path, make_pairs: MakePairs
) -> None:
    run = genlab.train(tiny, overrides=[of(make_pairs(count=3))], out=tmp_path / "run", stop_at=3)
    before = {path.name: path.read_bytes() for path in run.path.glob("*.*")}
    other = make_pairs("other", count=3, seed=1)
    with pytest.raises(RunError, match="changed since the run started: the training pairs"):
        genlab.resume(run.path, overrides=[f"data.root={other}"])
    assert {path.name: path.read_bytes() for path in run.path.glob("*.*")} == before


def test_a_setting_that_reads_the_same_files_otherwise_is_refused(tiny: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "pairs" / split).mkdir(parents=True)
        Image.new("RGBA", (72, 36), (90, 60, 30, 128)).save(tmp_path / "pairs" / split / "1.png")
    run = genlab.train(tiny, overrides=[of(tmp_path / "pairs")], out=tmp_path / "run", stop_at=3)
    with pytest.raises(RunError, match="the condition, which is read otherwise"):
        genlab.resume(run.path, overrides=['data.alpha="band"'], allow_changed_data=True)
