"""Runs that were made with the packages of strangers: other names, other layouts, and gone since."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.conftest import GenCommand
from tests.core.registry.broken import generator, registering
from tests.core.registry.test_discovery import install

Gen = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for installed packages."""
    return tmp_path / "site"


@pytest.fixture
def call(gen: GenCommand, site: Path) -> Gen:
    """Run `gen` with the packages of the site installed."""
    path = os.pathsep.join([str(site), *filter(None, sys.path)])

    def run(*arguments: str | Path, **environment: str) -> CompletedProcess[str]:
        return gen(*arguments, PYTHONPATH=path, **environment)

    return run


def test_a_plugin_may_lie_in_a_namespace(call: Gen, site: Path, tiny: Path) -> None:
    """Where the outermost package is several distributions', and has no code of its own."""
    folder = site / "lab" / "nets"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(registering("registry.generator('mine', 'lab.nets.net:Mine')"))
    (folder / "net.py").write_text(generator("mine"))
    install(site, "lab-nets", {}, {"nets": "lab.nets"})
    done = call("run", tiny, "--set", "generator={name='mine'}", "--steps", "1", "--out", "run")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def run_of_a_stranger(call: Gen, site: Path, tiny: Path, tmp_path: Path) -> Path:
    """A run that was paused, with a generator of an installed package."""
    install(site, "genlab-mine", {"genlab_mine": generator("mine")}, {"mine": "genlab_mine"})
    done = call("run", tiny, "--set", "generator={name='mine'}", "--stop-at", "1", "--out", "run")
    assert done.returncode == 0, done.stderr
    return tmp_path / "run"


def test_a_run_whose_package_is_gone_says_which_it_was(call: Gen, site: Path, run_of_a_stranger: Path) -> None:
    shutil.rmtree(site)
    for verb in ("resume", "probe"):
        done = call(verb, run_of_a_stranger)
        assert done.returncode == 2
        assert "the run was made with genlab-mine 1.2, which is not installed" in done.stderr
        assert 'the generator "genlab-mine:mine" is missing: no plugin of a package `genlab-mine`' in done.stderr


def test_a_run_outlives_a_package_with_the_same_name(call: Gen, site: Path, run_of_a_stranger: Path) -> None:
    """A newer package gives the same name: the run keeps the one that it was made with."""
    install(site, "genlab-other", {"genlab_other": generator("mine")}, {"other": "genlab_other"})
    done = call("resume", run_of_a_stranger)
    assert done.returncode == 0, done.stderr


FILE = generator("mine")


@pytest.mark.parametrize("name", ["my.net.py", "my net.py", "my-net.py"])
def test_a_file_of_any_name_is_resumed(call: Gen, tiny: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILE)
    run = [
        "run",
        tiny,
        "--plugin",
        name,
        "--set",
        f"generator={{name='{name}:mine'}}",
        "--stop-at",
        "1",
        "--out",
        "run",
    ]
    for command in (run, ["resume", "run", "--stop-at", "2"]):
        done = call(*command)
        assert done.returncode == 0, done.stderr


def test_a_link_is_known_by_its_own_name(call: Gen, tiny: Path, tmp_path: Path) -> None:
    """A run keeps a copy under the name that was given, and must find the component by that name again."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.py").write_text(FILE)
    (tmp_path / "link.py").symlink_to(tmp_path / "elsewhere" / "other.py")
    given = ["--plugin", "link.py", "--set", "generator={name='link.py:mine'}"]
    for command in (["run", tiny, *given, "--stop-at", "1", "--out", "run"], ["resume", "run", "--stop-at", "2"]):
        done = call(*command)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("mine.pyc", "--plugin mine.pyc: mine.pyc is not a Python file"),
        ("loop.py", "--plugin loop.py: there is no such file"),
        (f"{'x' * 300}.py", "there is no such file"),
        ("~nobody_of_that_name/x.py", "there is no such file"),
    ],
)
def test_what_is_no_python_file_is_refused(call: Gen, tmp_path: Path, given: str, said: str) -> None:
    (tmp_path / "mine.pyc").write_bytes(b"")
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    done = call("plugins", "list", "--plugin", given)
    assert done.returncode == 2
    assert said in done.stderr


def test_an_editors_lock_is_no_code(call: Gen, site: Path, run_of_a_stranger: Path) -> None:
    folder = site / "genlab_edited"
    folder.mkdir()
    (folder / "__init__.py").write_text(registering("registry.generator('edited', 'genlab_edited.net:Mine')"))
    (folder / "net.py").write_text(generator("edited"))
    (folder / ".#net.py").symlink_to("somebody@somewhere.1:2")
    install(site, "genlab-edited", {}, {"edited": "genlab_edited"})
    done = call("run", run_of_a_stranger / "recipe.toml", "--set", "generator={name='edited'}", "--steps", "1")
    assert done.returncode == 0, done.stderr


def test_json_stays_json_whatever_plugins_print(call: Gen, site: Path) -> None:
    loud = "import os, sys\nprint('a')\nos.write(1, b'b')\nos.system('echo c')\nsys.__stdout__.write('d')\n"
    install(site, "genlab-loud", {"genlab_loud": loud + generator("loud")}, {"loud": "genlab_loud"})
    for command in (["plugins", "list", "--json"], ["plugins", "show", "loud", "--json"]):
        assert "loud" in {row["name"] for row in json.loads(call(*command).stdout)}


def test_the_folder_is_what_it_was(call: Gen, site: Path, tiny: Path, tmp_path: Path) -> None:
    install(site, "genlab-mover", {"genlab_mover": "import os\nos.chdir('/')\n" + FILE}, {"mover": "genlab_mover"})
    shutil.copy(tiny, tmp_path / "here.toml")
    assert call("check", "here.toml").returncode == 0


def test_blame_is_for_the_package_whose_code_it_was(call: Gen, site: Path, tiny: Path) -> None:
    """Two packages share a namespace; and a component may lie in another module than its plugin."""
    for name, text in {
        "nets": generator("mine", forward="raise RuntimeError('mine')"),
        "zdata": registering("pass"),
    }.items():
        (site / "lab" / name).mkdir(parents=True)
        (site / "lab" / name / "__init__.py").write_text(text)
        install(site, f"lab-{name}", {}, {name: f"lab.{name}"})
    done = call("run", tiny, "--set", "generator={name='mine'}", "--steps", "1")
    assert "the plugin lab-nets 1.2 failed: RuntimeError: mine" in done.stderr


def test_a_package_is_checked_to_its_end(call: Gen, site: Path) -> None:
    """A component that is broken stands in the way of no other."""
    text = registering("registry.loss('far', 'no_such:X')", "registry.loss('near', 'genlab_losses.l1:L1')")
    install(site, "genlab-pair", {"genlab_pair": text}, {"pair": "genlab_pair"})
    done = call("plugins", "check", "genlab-pair")
    assert done.returncode == 1
    assert "no_such:X cannot be imported" in done.stdout
    assert 'loss "near"' in done.stdout
    assert "1 failed" in done.stdout
