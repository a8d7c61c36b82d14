"""Runs that were made with the packages of strangers: other names, other layouts, and gone since."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.conftest import GenCommand
from tests.core.test_broken_plugins import generator, registering
from tests.core.test_plugins import install

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
        assert 'no plugin gives a generator "mine"' in done.stderr


def test_a_run_outlives_a_package_with_the_same_name(call: Gen, site: Path, run_of_a_stranger: Path) -> None:
    """A newer package gives the same name: the run asks which, and can be told without a change of its recipe."""
    install(site, "genlab-other", {"genlab_other": generator("mine")}, {"other": "genlab_other"})
    done = call("resume", run_of_a_stranger)
    assert done.returncode == 2
    assert 'Say which: "genlab-mine:mine" or "genlab-other:mine"; for a run from before, GENLAB_PLUGINS' in done.stderr
    done = call("resume", run_of_a_stranger, GENLAB_PLUGINS="genlab,genlab-mine")
    assert done.returncode == 0, done.stderr
