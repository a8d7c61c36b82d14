"""A run's folder."""

from __future__ import annotations

import math
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genlab import RunError, StorageError
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import DataRecord, Manifest
from genlab.util.environment import git_state


def manifest(**changes: object) -> Manifest:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    data = DataRecord(source="toy", reason=None, training="5 pairs", validation="3 pairs", fingerprints={"train": "a"})
    values = {"title": "Toy", "steps": 8, "created": now, "updated": now, "command": ["gen", "run"], "versions": {}}
    values |= {"machine": {}, "git": None, "plugins": {}, "channels": (3, 3), "data": data, "facts": {}}
    return Manifest(**{**values, **changes})


def test_a_new_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "deep" / "run")
    assert folder.path.is_dir()
    folder.begin(manifest(), [], "")
    with pytest.raises(RunError, match="already exists"):
        RunFolder.create(tmp_path / "deep" / "run")


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("precious")
    with pytest.raises(RunError, match="already exists"):
        RunFolder.create(tmp_path / "run")
    with pytest.raises(StorageError, match="cannot be written"):
        RunFolder.create(tmp_path / "run" / "inner")
    assert (tmp_path / "run").read_text() == "precious"


def test_resuming_is_offered_only_where_there_is_something_to_go_on_from(tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(RunError) as refused:
            RunFolder.refuse_occupied(tmp_path)
        return str(refused.value)

    (tmp_path / "notes.txt").touch()
    assert "gen resume" not in refusal()
    folder = RunFolder(tmp_path)
    folder.write(manifest())
    folder.recipe_path.touch()
    assert f"gen resume {tmp_path}" in refusal()
    folder.update(status="finished")
    assert "gen resume" not in refusal()


BEGINNING = [".lock", ".run.json.7-7.partial", "run.json", "plugins/mine.py", ".recipe.toml.7-7.partial"]


@pytest.mark.parametrize("count", range(len(BEGINNING) + 1))
def test_what_a_start_that_was_killed_left_can_be_used_again(tmp_path: Path, count: int) -> None:
    for name in BEGINNING[:count]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    if (tmp_path / "run.json").exists():
        RunFolder(tmp_path).write(manifest(plugin_files={"mine.py": "0" * 64}))
    folder = RunFolder.create(tmp_path)
    with pytest.raises(RunError, match="killed before the run began" if count else "missing"):
        RunFolder.existing(tmp_path)
    with folder.locked():
        folder.begin(manifest(title="Again"), [], "")
    assert {left.name for left in tmp_path.iterdir()} == {".lock", "run.json", "recipe.toml"}
    assert RunFolder.existing(tmp_path).stored().title == "Again"


@pytest.mark.parametrize(
    "names",
    [["plugins/mine.py"], ["run.json"], ["recipe.toml"], [".mine.partial"], ["checkpoints/00000001/state.json"]],
)
def test_what_might_be_a_users_is_left_alone(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("precious")
    with pytest.raises(RunError, match="already exists"):
        RunFolder.create(tmp_path)
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"status": "finished", "step": 8}, [".lock"]),
        ({"step": 4}, [".lock"]),
        ({}, []),
        ({}, [".lock", "plugins/notes.txt"]),
        ({"plugin_files": {"mine.py": "0" * 64}}, [".lock", "plugins/mine.py", "plugins/other.py"]),
    ],
)
def test_a_manifest_that_was_kept_is_left_alone(tmp_path: Path, changes: dict[str, object], names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    RunFolder(tmp_path).write(manifest(**changes))
    with pytest.raises(RunError, match="already exists"):
        RunFolder.create(tmp_path)


def test_a_link_is_no_folder_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "missing")
    with pytest.raises(RunError, match="already exists"):
        RunFolder.create(tmp_path / "run")


def test_the_manifest_is_read_as_it_was_written_and_updated_in_place(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write(manifest(status="paused"))
    assert folder.read() == manifest(status="paused")
    folder.update(status="finished", step=8, metrics={"validation/l1": 0.25})
    read = folder.read()
    assert (read.status, read.step, read.metrics) == ("finished", 8, {"validation/l1": 0.25})
    assert read.updated > read.created
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"], "nothing half written is left"


def test_a_run_that_was_killed_does_not_say_that_it_is_running(tmp_path: Path, python: list[str]) -> None:
    """Neither here nor to another process, and it does say so while it is trained."""
    folder = RunFolder(tmp_path)
    folder.write(manifest())
    ask = f"from genlab.runs.folder import RunFolder, Path\nprint(RunFolder(Path({str(tmp_path)!r})).read().status)"
    with folder.locked():
        assert folder.read().status == "running"
        assert subprocess.run([*python, "-c", ask], capture_output=True, text=True).stdout == "running\n"
    assert subprocess.run([*python, "-c", ask], capture_output=True, text=True).stdout == "interrupted\n"
    assert folder.read().failure == "its process was killed"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"{}", "title: Field required"),
        (b'{"format": 2}', "format: Input should be 1"),
        (b"\xff", "can't decode"),
    ],
)
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(RunError, match=rf"run\.json cannot be read: .*{reason}"):
        RunFolder.existing(tmp_path).read()


def test_a_manifest_that_was_edited_is_refused_until_the_edit_is_confirmed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write(manifest(status="finished", metrics={"validation/l1": 0.25}))
    path = tmp_path / "run.json"
    path.write_text(path.read_text().replace("0.25", "0.05"))
    with pytest.raises(RunError, match="damaged or edited") as caught:
        folder.read()
    assert 'remove its line "sha256"' in str(caught.value.hint)
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "sha256" not in line))
    assert folder.read().metrics == {"validation/l1": 0.05}
    folder.update(step=8)
    path.write_text(path.read_text().replace("0.05", "0.01"))
    with pytest.raises(RunError, match="damaged or edited"):
        folder.read()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run\.json is missing"):
        RunFolder.existing(tmp_path)
    with pytest.raises(RunError, match="no such folder"):
        RunFolder.existing(tmp_path / "missing")


def test_another_process_cannot_train_in_the_same_folder(tmp_path: Path, python: list[str]) -> None:
    ask = f"from genlab.runs.folder import RunFolder, Path\nwith RunFolder(Path({str(tmp_path)!r})).locked(): pass"
    with RunFolder(tmp_path).locked():
        other = subprocess.run([*python, "-c", ask], capture_output=True, text=True)
    assert "another process is training this run" in other.stderr
    assert subprocess.run([*python, "-c", ask]).returncode == 0, "the lock ends with its holder"


def test_the_last_checkpoint_is_the_one_of_most_steps(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.last_checkpoint() is None
    for name in ("00000090", "99999999", "100000000", ".200000000.partial"):
        (folder.checkpoints_path / name).mkdir(parents=True)
        (folder.checkpoints_path / name / "state.json").touch()
    last = folder.last_checkpoint()
    assert last is not None
    assert last.name == "100000000"


@pytest.mark.parametrize("name", ["99999999", "9 more/state.json"])
def test_what_is_no_checkpoint_is_not_the_last_one(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path)
    for path in (folder.checkpoints_path / name, folder.checkpoints_path / "00000090" / "state.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder.checkpoints_path / "99999998").mkdir()
    last = folder.last_checkpoint()
    assert last is not None
    assert last.name == "00000090"


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: RunFolder.create_below(tmp_path / "runs", "unet"), range(24)))
    assert len({folder.path for folder in folders}) == 24
    assert all(folder.path.name.startswith("unet-") and folder.path.is_dir() for folder in folders)


def test_figures_that_are_no_numbers_come_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write(manifest(status="finished", metrics={"a": float("nan"), "b": float("inf")}))
    read = folder.read().metrics
    assert math.isnan(read["a"])
    assert read["b"] == math.inf


def test_whoever_reads_a_run_does_not_keep_it_from_being_trained(tmp_path: Path, python: list[str]) -> None:
    folder = RunFolder(tmp_path)
    folder.write(manifest())
    with folder.locked():
        pass
    ask = f"""
from genlab.runs.folder import RunFolder, Path
print("ready", flush=True)
while True: RunFolder(Path({str(tmp_path)!r})).read()
"""
    readers = [subprocess.Popen([*python, "-c", ask], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for reader in readers:
            assert reader.stdout
            reader.stdout.readline()
        for _ in range(30):
            with folder.locked():
                assert folder.read().status == "running"
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_a_folder_that_is_only_read_gets_no_new_file(tmp_path: Path) -> None:
    RunFolder(tmp_path).write(manifest())
    assert RunFolder(tmp_path).read().status == "interrupted"
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_git_state_is_told_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() is None
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    state = git_state()
    assert state is not None
    assert len(state["commit"]) == 40
    assert state["changed"] == "no"
    (tmp_path / "new").touch()
    assert (git_state() or {})["changed"] == "yes"
