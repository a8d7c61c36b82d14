"""Claims: one of many gets a trial, a lost one is taken over once, and whoever lost it writes no more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from genlab import GenlabError, StorageError
from genlab.ablation.claim import HEARTBEAT, Claim, new_owner
from genlab.ablation.claim_watch import ClaimWatch, await_free
from genlab.ablation.kept_claim import CLAIM_LOST


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEARTBEAT, "0.01")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are as if of another machine, of whose processes nothing is known."""
    monkeypatch.setattr("genlab.ablation.claim._process_space", lambda: "")


@pytest.mark.parametrize("is_copied", [False, True])
def test_one_of_many_gets_a_trial(is_copied: bool, tmp_path: Path) -> None:
    if is_copied:  # the folder, and with it a claim, which then is two files and not one with two names
        (tmp_path / "claims").mkdir()
        (tmp_path / "claims" / "arm.seed-0").touch()
    claims = [Claim(tmp_path / "claims", "arm.seed-0", new_owner()) for _ in range(20)]
    barrier, taken = threading.Barrier(len(claims)), list[Claim]()

    def take(claim: Claim) -> None:
        barrier.wait()
        if claim.take():
            taken.append(claim)

    threads = [threading.Thread(target=take, args=(claim,)) for claim in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (holder,) = taken
    assert len(list((tmp_path / "claims").iterdir())) == 2, "who lost leaves nothing"
    holder.release()
    assert not list((tmp_path / "claims").iterdir())
    assert claims[0].take()


def test_a_claim_in_a_copy_of_the_folder_is_nobody_s(tmp_path: Path) -> None:
    assert Claim(tmp_path / "claims", "arm.seed-0", "holder").take()
    shutil.copytree(tmp_path / "claims", tmp_path / "copy")  # two files where there were two names of one
    assert not ClaimWatch(tmp_path / "copy").look()
    assert Claim(tmp_path / "copy", "arm.seed-0", "other").take()
    assert not Claim(tmp_path / "claims", "arm.seed-0", "other").take(), "the holder is not disturbed"


def test_a_claim_is_lost_when_it_stands_still_by_the_clock_of_the_one_who_watches(
    tmp_path: Path, elsewhere: None
) -> None:
    claim, watch = Claim(tmp_path, "arm.seed-0", "holder"), ClaimWatch(tmp_path)
    assert claim.take()
    first = watch.look()["arm.seed-0"]
    assert (first.owner, first.is_alive, first.is_lost) == ("holder", False, False), "nothing is known yet"
    claim.step = 7
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        assert claim.beat()
        seen = watch.look()["arm.seed-0"]
        time.sleep(0.01)
    assert (seen.is_alive, seen.is_lost, seen.step) == (True, False, 7)
    os.utime(tmp_path / "arm.seed-0", (2**31, 2**31))
    time.sleep(0.15)
    assert watch.look()["arm.seed-0"].is_lost
    assert not ClaimWatch(tmp_path).look()["arm.seed-0"].is_lost, "who has just come does not know"


@pytest.mark.parametrize(("name", "value"), [("pid", "1e999"), ("seconds", "1e9"), ("seconds", "NaN")])
def test_a_damaged_claim_is_lost_like_one_that_stands_still(name: str, value: str, tmp_path: Path) -> None:
    assert Claim(tmp_path, "arm.seed-0", "holder").take()
    path = tmp_path / "arm.seed-0"
    content = json.loads(path.read_bytes())
    path.write_text(json.dumps({**content, name: float(value)}))
    assert not await_free(tmp_path, "arm.seed-0")


def test_one_of_many_takes_over_and_the_holder_notices(tmp_path: Path) -> None:
    lost = Claim(tmp_path, "arm.seed-0", "lost")
    assert lost.take()
    takers = [Claim(tmp_path, "arm.seed-0", f"taker{number}") for number in range(5)]
    assert [taker.take_over("lost") for taker in takers].count(True) == 1
    assert not lost.beat()
    lost.release()
    assert takers[0].beat(), "it is not the lost one's to release"
    assert not Claim(tmp_path, "arm.seed-0", "late").take()


def test_a_claim_in_a_copy_of_its_folder_has_no_holder(tmp_path: Path) -> None:
    """Copies of a file's two names are two files."""
    holder = Claim(tmp_path / "claims", "arm.seed-0", "holder")
    assert holder.take()
    shutil.copytree(tmp_path / "claims", tmp_path / "copy")
    assert not ClaimWatch(tmp_path / "copy").look()
    assert Claim(tmp_path / "copy", "arm.seed-0", "mine").take()
    assert not Claim(tmp_path / "copy", "arm.seed-0", "other").take()
    assert holder.beat()


def test_who_lost_a_claim_does_not_write_into_it(tmp_path: Path) -> None:
    lost, taker = (Claim(tmp_path, "arm.seed-0", owner) for owner in ("lost", "taker"))
    assert lost.take()
    assert taker.take_over("lost")
    taken = (tmp_path / "arm.seed-0").read_bytes()
    os.link(tmp_path / "arm.seed-0", tmp_path / "arm.seed-0@lost")  # as a name that is cached
    assert not lost.beat()
    assert (tmp_path / "arm.seed-0").read_bytes() == taken


def test_a_process_that_has_ended_is_lost_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from genlab.ablation.claim import Claim; "
    code += "assert Claim(Path(sys.argv[1]), 'arm.seed-0', 'ended').take()"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert ClaimWatch(tmp_path).look()["arm.seed-0"].is_lost


def test_a_trial_is_free_once_nobody_shows(tmp_path: Path, elsewhere: None) -> None:
    claim = Claim(tmp_path, "arm.seed-0", "gone")
    assert claim.take()
    assert not await_free(tmp_path, "arm.seed-0")
    assert not list(tmp_path.iterdir())
    assert not claim.beat()


FROZEN = """
import sys, time
from pathlib import Path
from genlab.ablation.claim import Claim
from genlab.ablation.kept_claim import kept_claim

claim = Claim(Path(sys.argv[1]), "arm.seed-0", "frozen")
assert claim.take()
with kept_claim(claim):
    print("begun", flush=True)
    while True:
        time.sleep(0.05)
        print("written", flush=True)
"""


def test_a_holder_that_was_frozen_ends_before_it_writes(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", FROZEN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    assert Claim(tmp_path, "arm.seed-0", "other").take_over("frozen")
    assert process.wait(10) == CLAIM_LOST
    assert process.stdout.read().count("written") <= 1
    process.stdout.close()


def test_without_links_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StorageError, match="no link can be made here") as caught:
        Claim(tmp_path, "arm.seed-0", "mine").take()
    assert "--out" in str(caught.value.hint)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", ["soon", "0", "-1", "inf", "nan"])
def test_a_heartbeat_has_seconds(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEARTBEAT, given)
    with pytest.raises(GenlabError, match=f"got '{given}'"):
        Claim(tmp_path, "arm.seed-0", "mine")
