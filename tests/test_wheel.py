"""A wheel has all that is needed: nothing of the checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.cold


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip makes of the wheel, which Python searches before it finds the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("genlab-*.whl")
    target = folder / "installed"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return target


@pytest.fixture
def installed_python(installed: Path, tmp_path: Path):
    """Run Python on the wheel's code, in an empty folder."""

    def call(*arguments: str) -> str:
        # What the wheel's copy of the code covers would count as code of its own.
        plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        environment = {**plain, "PYTHONPATH": str(installed)}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_the_wheel_is_what_is_tested_here(installed_python, installed: Path) -> None:
    code = "import genlab, genlab_pix2pix, genlab_images; print(genlab.__file__, genlab_images.__file__)"
    assert installed_python("-c", code).count(str(installed)) == 2


def test_every_recipe_is_in_it(installed_python) -> None:
    names = [path.stem for path in (ROOT / "recipes").glob("*.toml")]
    listed = installed_python("-m", "genlab", "recipes", "list")
    assert len(names) >= 3
    assert all(name in listed for name in names)


def test_it_trains_a_recipe_and_predicts(installed_python, tmp_path: Path) -> None:
    small = ["train.steps=2", "input.size=32", "generator.levels=5", "generator.channels=8", "evaluate.pairs=2"]
    small += ["discriminator.receptive_field=16", "data={name='drawn_facades', count=4, validation_count=2, size=36}"]
    sets = [word for value in small for word in ("--set", value)]
    installed_python("-m", "genlab", "run", "unet_facades", "--out", "run", *sets)
    assert (tmp_path / "run" / "previews" / "000002.png").is_file()
    installed_python("-m", "genlab", "predict", "run", "run/previews", "--out", "predictions")
    assert len(list((tmp_path / "predictions").glob("*.png"))) > 1


def test_its_command_is_gen(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    told = subprocess.run([installed / "bin" / "gen", "--version"], env=environment, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")
    assert version("genlab") in told.stdout


def test_it_has_no_tests_and_no_docs(installed: Path) -> None:
    top = {path.name for path in installed.iterdir() if path.is_dir() and path.suffix != ".dist-info"}
    assert {name for name in top if not name.startswith("genlab") and name != "bin"} == set()
