"""Runs' folders that were made to harm: links out of them, files without end, and pickles."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import Once

import genlab
from genlab import GenlabError, RunError
from genlab.ablation.folder import AblationFolder
from genlab.ablation.observations import read_pictures

CHECKPOINT = "checkpoints/00000004"


@pytest.fixture(scope="session")
def made(once: Once) -> Path:
    """A paused run."""
    tiny = Path(__file__).parents[2] / "assets" / "tiny.toml"
    return once("paused", lambda folder: genlab.train(tiny, overrides=["listeners.previews={}"], out=folder, stop_at=4))


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Files of the user, which look like those of a run."""
    folder = tmp_path / "mine"
    (folder / "00000002").mkdir(parents=True)
    (folder / ".00000002.partial").mkdir()
    for name in ("file", "00000002/file", ".00000002.partial/file", "00000006.png", "00000009.png"):
        (folder / name).write_text("important")
    return folder


def content(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


FOLDERS = ["checkpoints", "previews", "probe", "plugins", CHECKPOINT, "tensorboard", "checkpoints/.00000004.partial"]
FILES = ["metrics.jsonl", ".metrics.jsonl.tmp", ".lock", "run.json", f"{CHECKPOINT}/state.json", "probe.tmp"]


@pytest.mark.parametrize("verb", [genlab.resume, genlab.probe])
@pytest.mark.parametrize("name", FOLDERS + FILES)
def test_nothing_is_written_or_removed_through_a_link(
    made: Path, run: Path, mine: Path, name: str, verb: Callable
) -> None:
    place, target = run / name, mine if name in FOLDERS else mine / "file"
    if place.exists():
        (shutil.rmtree if place.is_dir() else Path.unlink)(place)
    if name == "run.json":
        shutil.copyfile(made / name, target)
    place.symlink_to(target)
    before = content(mine)
    with pytest.raises(RunError, match="link") as caught:
        verb(run)
    assert str(place) in str(caught.value) and "Move the whole folder" in str(caught.value)
    assert content(mine) == before


def test_a_run_may_be_reached_by_a_link(run: Path, tmp_path: Path) -> None:
    moved = run.rename(tmp_path / "elsewhere")
    run.symlink_to(moved)
    assert genlab.resume(run).manifest.status == "finished"


def test_a_status_is_read_without_following_a_lock_that_is_a_link(run: Path, mine: Path) -> None:
    state = json.loads((run / "run.json").read_text())
    state.pop("sha256", None)
    (run / "run.json").write_text(json.dumps({**state, "status": "running"}))
    (run / ".lock").unlink(missing_ok=True)
    (run / ".lock").symlink_to(mine / "file")
    before = content(mine)
    assert genlab.open_run(run).manifest.status == "interrupted"
    assert content(mine) == before


def test_an_ablation_in_a_folder_with_links(tiny: Path, mine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    shutil.copyfile(tiny, folder / "recipe.toml")
    (folder / "workers.log").symlink_to(mine / "file")
    before = content(mine)
    with pytest.raises(RunError, match="link"):
        AblationFolder.at(folder)
    assert content(mine) == before


def _sparse(path: Path) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(2**38)


def _nested_json(path: Path) -> None:
    path.write_text('{"a":' * 100_000)


def _nested_toml(path: Path) -> None:
    path.write_text("a = " + "[" * 100_000)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _long_header(path: Path) -> None:
    header = (
        b"{" + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(200_000)) + b"}"
    )
    path.write_bytes(struct.pack("<Q", len(header)) + header)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("pickled",)


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil()))


def _torch_pickle(path: Path) -> None:
    torch.save({"weight": Evil()}, path)


WEIGHTS = f"{CHECKPOINT}/generator.safetensors"
STATE = f"{CHECKPOINT}/state.json"


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        *((name, harm) for name in ("run.json", STATE) for harm in (_sparse, _nested_json)),
        *(("recipe.toml", harm) for harm in (_sparse, _nested_toml)),
        *((WEIGHTS, harm) for harm in (_long_header, _pipe, _pickle, _torch_pickle)),
        (f"{CHECKPOINT}/method.safetensors", _pickle),
        (f"{CHECKPOINT}/losses.safetensors", _long_header),
    ],
)
def test_a_hostile_file_is_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, harm: Callable[[Path], None]
) -> None:
    """At once: none of them is read whole, waited for or unpickled."""
    monkeypatch.chdir(tmp_path)
    harm(run / name)
    with pytest.raises(GenlabError) as caught:
        genlab.open_run(run).predict(np.zeros((36, 36, 3), np.uint8))
    assert Path(name).name.partition(".")[0] in str(caught.value) or CHECKPOINT in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert not Path("pickled").exists()


def test_pictures_are_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keys = io.BytesIO()
    np.savez(keys, keys=np.array([Evil()], dtype=object))
    (tmp_path / "pictures.npz").write_bytes(keys.getvalue())
    with pytest.raises((ValueError, KeyError)):
        read_pictures(tmp_path)
    assert not Path("pickled").exists()
