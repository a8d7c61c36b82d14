"""Output files: what is in their way is named, and what would remove it."""

from pathlib import Path

import pytest

from genlab import StorageError
from genlab.runs.output_files import refuse_overwrite, refuse_unwritable


def refusal(path: Path, *, overwrite: bool) -> StorageError:
    with pytest.raises(StorageError) as caught:
        refuse_unwritable(path, overwrite=overwrite)
    return caught.value


def test_files_are_replaced_only_when_asked_for(tmp_path: Path) -> None:
    files = [tmp_path / name for name in "abc"]
    refuse_overwrite(tmp_path, files, overwrite=False)
    for file in files[1:]:
        file.touch()
    with pytest.raises(StorageError, match="1 more already exist") as caught:
        refuse_overwrite(tmp_path, files, overwrite=False)
    assert caught.value.where == str(files[1]) and "--overwrite" in (caught.value.hint or "")
    refuse_overwrite(tmp_path, files, overwrite=True)
    refuse_overwrite(tmp_path / "new" / "folder", [tmp_path / "new" / "folder" / "a"], overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_are_never_replaced(tmp_path: Path, overwrite: bool) -> None:
    error = refusal(tmp_path, overwrite=overwrite)
    assert error.where == str(tmp_path) and "this is a folder" in error.what


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_needs_a_folder(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "file").touch()
    for folder, what in (("none", "missing"), ("file", "this is a file")):
        error = refusal(tmp_path / folder / "a", overwrite=overwrite)
        assert error.where == str(tmp_path / folder) and what in error.what


def test_a_link_to_nothing_counts_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert "already exists" in refusal(tmp_path / "link", overwrite=False).what
    refuse_unwritable(tmp_path / "link", overwrite=True)


def test_a_file_of_a_run_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(StorageError, match="belongs to a run"):
        refuse_overwrite(tmp_path, [tmp_path / "run.json"], overwrite=True)
    refuse_overwrite(tmp_path, [tmp_path / "scores.csv"], overwrite=True)
