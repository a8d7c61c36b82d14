"""What tests of core and plugins share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from jaxtyping import install_import_hook
from PIL import Image
from tests.fresh import Fresh, make_environment
from tests.processes.forks import forking_python

# The shapes that signatures promise are checked at every call, in the tests only.
CHECKED = [
    "genlab.data",
    "genlab.engine",
    "genlab.tools.probe",
    "genlab_pix2pix",
    "genlab_cyclegan",
    "genlab_features",
    "genlab_losses",
    "genlab_metrics",
    "genlab_resnet",
    "genlab_segmentation",
    "genlab_bridge",
    "genlab_augment",
]
install_import_hook(CHECKED, "beartype.beartype")

# The tests have a cache of pairs of their own, which is empty when they begin.
_CACHE = TemporaryDirectory(prefix="genlab-cache-")
os.environ["GENLAB_CACHE"] = _CACHE.name
os.environ.pop("GENLAB_CACHE_GIB", None)

# What they trust is not recorded for the user who runs them.
_TRUSTED = TemporaryDirectory(prefix="genlab-trusted-")
os.environ["GENLAB_TRUSTED"] = f"{_TRUSTED.name}/trusted"
os.environ.pop("GENLAB_TRUSTED_DIGESTS", None)

# Where tests run side by side, each has one thread; what waits for another must not spin meanwhile. PyTorch reads these
# when it is imported. OpenBLAS would start threads in the server that forks, which must have none.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# A shell has what it runs in the background ignore signals, and tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A first example pays for what is imported then; CI tries the same examples each time.
settings.register_profile("genlab", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("genlab")

ROOT = Path(__file__).parents[1]

GenCommand = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-losses", action="store_true", help="record losses anew instead of comparing them")
    parser.addoption("--record-interface", action="store_true", help="write the record of the interface anew")
    parser.addoption("--kills", type=int, default=20, metavar="N", help="kill trainings N times (20)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Tests of named files, or those that want the machine for themselves, run in this process."""
    is_of_files = all(Path(argument.partition("::")[0]).suffix == ".py" for argument in config.args)
    return 0 if is_of_files or config.option.markexpr in ("gpu", "speed") else None


SLOWEST = (
    "test_examples",
    "test_tutorial",
    "test_ablate",
    "test_workers",
    "test_work",
    "test_bench",
    "test_compilation",
    "test_run",
)
"""The files that take longest, which begin first, so that no worker is left with one in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture
def tiny() -> Path:
    """A recipe that trains eight steps in a fraction of a second."""
    return ROOT / "tests" / "assets" / "tiny.toml"


@pytest.fixture
def facades() -> Path:
    """The real facades, side by side, in `train` and `val`: named by the environment variable GENLAB_FACADES."""
    folder = os.environ.get("GENLAB_FACADES")
    if not folder or not Path(folder, "train").is_dir():
        pytest.skip("GENLAB_FACADES names no folder with the real facades (train/ and val/ of side-by-side images)")
    return Path(folder).resolve()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "genlab-test", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small file system cannot be mounted here: {error}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def forked_python() -> Iterator[list[str]]:
    """The words that begin a command in place of `python`: a process of its own, but for the time to import."""
    with forking_python() as words:
        yield words


@pytest.fixture
def python(request: pytest.FixtureRequest) -> list[str]:
    """The words that begin a command of Python: a fork, or in a test marked `cold` a Python that starts anew."""
    return [sys.executable] if request.node.get_closest_marker("cold") else request.getfixturevalue("forked_python")


@pytest.fixture
def gen(python: list[str], tmp_path: Path) -> GenCommand:
    """Run the real command in a process of its own, in an empty folder, with no terminal."""

    def call(*arguments: str | Path, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*python, "-m", "genlab", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=timeout,
            env={**os.environ, "COLUMNS": "120", **environment},
            check=False,
        )

    return call


@pytest.fixture
def make_pairs(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of side-by-side pairs: colored blocks on the left, their negative on the right."""

    def make(name: str = "pairs", count: int = 3, size: int = 36, seed: int = 0) -> Path:
        random = np.random.default_rng(seed)
        for split in ("train", "val"):
            folder = tmp_path / name / split
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                blocks = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
                side = np.asarray(Image.fromarray(blocks).resize((size, size), Image.Resampling.NEAREST))
                Image.fromarray(np.hstack([side, 255 - side])).save(folder / f"{number}.png")
        return tmp_path / name

    return make


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder that this process may not enter, even if it began as root, in one that it may write to."""
    with TemporaryDirectory() as parent:
        Path(parent).chmod(0o777)
        folder = Path(parent, "locked")
        folder.mkdir(mode=0o000)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # nobody's
        yield folder
        os.seteuid(user)
        folder.chmod(0o700)


@pytest.fixture(scope="session")
def judge_recipe() -> list[str]:
    """Arguments of `gen run` for a judge of drawn facades at 32 pixels: two steps, in about two seconds."""
    values = [
        'data={name="drawn_facades", count=200, validation_count=10, size=36}',
        "input.size=32",
        "generator.levels=5",
        "generator.channels=8",
        "train.steps=2",
        "train.device=cpu",
        "train.threads=1",
        "evaluate.pairs=10",
        "evaluate.validations=1",
        "evaluate.previews=1",
    ]
    return ["label_judge_small", *(word for value in values for word in ("--set", value))]


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a folder once for all tests, also of other workers, which may read it and not change it.

    Called with the folder's name, and with what makes it at the path that it is given.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, build: Callable[[Path], object]) -> Path:
        folder = shared / f"once-{name}"
        whole = Path(f"{folder}.whole")
        with FileLock(f"{folder}.lock"):
            if not whole.exists():
                # What another left half done is not taken for the whole.
                shutil.rmtree(folder, ignore_errors=True)
                build(folder)
                whole.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def judge(judge_recipe: list[str], once: Once, forked_python: list[str]) -> Path:
    """The run of a judge that has learned next to nothing."""
    return once("judge", lambda folder: _run(forked_python, *judge_recipe, "--out", folder))


@pytest.fixture(scope="session")
def good_judge(judge_recipe: list[str], once: Once, forked_python: list[str]) -> Path:
    """The run of a judge that reads the larger parts of a drawn facade."""
    more = ["--set", "generator.channels=16", "--set", "optimizer.learning_rate=2e-3", "--steps", "150"]
    return once("good-judge", lambda folder: _run(forked_python, *judge_recipe, *more, "--out", folder))


def _run(python: list[str], *arguments: str | Path) -> None:
    subprocess.run([*python, "-m", "genlab", "run", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def fresh(once: Once) -> Fresh:
    """An environment of its own, in which genlab and the packages of `examples` are installed as a stranger has them.

    It takes a quarter of a minute where the packages are at hand, so all tests share it. It has neither tests nor
    sources of the checkout. Where the package index is out of reach, tests that need it are skipped, but not if CI is
    "true".
    """
    return Fresh(once("fresh", make_environment) / "bin")


@pytest.fixture(scope="session")
def forked_fresh(fresh: Fresh) -> Iterator[list[str]]:
    """The words that begin a command in place of the fresh environment's `python`, as `forked_python` has them."""
    with forking_python(fresh.bin / "python", fresh.environment) as words:
        yield words
