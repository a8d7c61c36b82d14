import errno
import resource

import pytest

from genlab import StorageError
from genlab.util.files import atomic_write, remove_partial, storage_errors, write_text


def test_text_is_written_and_written_over(tmp_path):
    path = tmp_path / "run.json"
    write_text(path, "first ä\n")
    assert path.read_bytes() == "first ä\n".encode()
    write_text(path, "second\n")
    assert path.read_text() == "second\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "picture.png"
    path.write_text("old")
    with atomic_write(path) as aside:
        aside.write_text("half")
        assert path.read_text() == "old"
        assert aside.parent == tmp_path
        aside.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("a mistake"), KeyboardInterrupt()])
def test_whatever_happens_in_between_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "picture.png"
    path.write_text("old")
    with pytest.raises(type(error)) as caught, atomic_write(path) as aside:
        aside.write_text("half")
        raise error
    assert caught.value is error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_of_some_files_is_removed(tmp_path):
    for name in (".run.json.1-2.partial", ".run.json.3-4.partial", ".other.json.1-2.partial", "run.json"):
        (tmp_path / name).touch()
    remove_partial(tmp_path, "run.json")
    remove_partial(tmp_path / "missing", "*")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.json.1-2.partial", "run.json"]


def test_a_file_that_cannot_grow_leaves_the_old_one(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(StorageError, match="cannot be written: File too large") as caught:
            write_text(path, "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.where == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="cannot be written: No such file or directory") as caught:
        write_text(tmp_path / "nowhere" / "run.json", "text")
    assert caught.value.where == str(tmp_path / "nowhere" / "run.json")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written: Not a directory"):
        write_text(tmp_path / "file" / "run.json", "text")


def test_a_folder_in_the_files_place_stays(tmp_path):
    (tmp_path / "run.json").mkdir()
    with pytest.raises(StorageError, match="cannot be written: Is a directory"):
        write_text(tmp_path / "run.json", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_called_so_and_tells_what_to_do(tmp_path, number):
    with pytest.raises(StorageError, match="cannot be written: the disk is full") as caught, storage_errors(tmp_path):
        raise OSError(number, "some words")
    assert "Free some space" in caught.value.hint


def test_other_libraries_errors_may_mean_the_same(tmp_path):
    with pytest.raises(StorageError, match="the disk is full"), storage_errors(tmp_path, LookupError):
        raise LookupError("I/O error: No space left on device (os error 28)")
    with pytest.raises(StorageError, match="cannot be written: strange") as caught, storage_errors(tmp_path, KeyError):
        raise OSError("strange")
    assert caught.value.hint is None
    with pytest.raises(LookupError), storage_errors(tmp_path):
        raise LookupError("not of the disk")
