"""The packages in `examples` are what a stranger's would be: wheels beside genlab's, made of its public names alone."""

from __future__ import annotations

import ast
import csv
import shutil
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from tests.fresh import APART

import genlab
import genlab.testing

if TYPE_CHECKING:
    from tests.fresh import Fresh

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(file.parent for file in ROOT.glob("examples/*/pyproject.toml"))
NAMES = [
    "genlab-csv",
    "genlab-cut",
    "genlab-cycle-twins",
    "genlab-flow",
    "genlab-lion",
    "genlab-mlflow",
    "genlab-monai",
    "genlab-multiscale",
    "genlab-r1",
    "genlab-super-resolution",
]
INSTALLED = [name for name in NAMES if name not in APART]
EXAMINED = {"genlab-csv", "genlab-monai"}
"""Those whose runs have tests of their own."""
SOURCES = [file for example in EXAMPLES for file in sorted(example.rglob("*.py"))]

PUBLIC = {"genlab": set(genlab.__all__), "genlab.testing": set(genlab.testing.__all__)}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT / "examples"))


def test_all_packages_are_there() -> None:
    assert [example.name for example in EXAMPLES] == NAMES


# What a package may use


def trespasses(code: str, package: str, *, is_test: bool = False) -> list[str]:
    """What a module uses of genlab, or of anything else, that is not public.

    Args:
        code: the module's source.
        package: the package that it is of.
        is_test: whether it may use `genlab.testing` too.
    """
    tree = ast.parse(code)
    open_modules = {"genlab", "genlab.testing"} if is_test else {"genlab"}
    found = [*_imports(tree, open_modules, package), *_names(tree, open_modules), *_private(tree)]
    return [f"line {line}: {what}" for line, what in sorted(found)]


Found = Iterator[tuple[int, str]]


def _imports(tree: ast.Module, open_modules: set[str], package: str) -> Found:
    """Imports of modules of genlab that are not open, or of other plugins; and of names that are not public."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        else:
            continue
        for module in modules:
            is_ours = module.partition(".")[0].startswith("genlab") and module.partition(".")[0] != package
            if is_ours and module not in open_modules:
                yield node.lineno, f"import of {module}"
            elif isinstance(node, ast.ImportFrom) and is_ours:
                yield from ((node.lineno, f"{module}.{name}") for name in _closed(node, open_modules))


def _closed(node: ast.ImportFrom, open_modules: set[str]) -> Iterator[str]:
    """The names of an import from a module that are not public; a module in it is one if it is open."""
    assert node.module is not None
    for alias in node.names:
        if alias.name not in PUBLIC[node.module] and f"{node.module}.{alias.name}" not in open_modules:
            yield alias.name


def _names(tree: ast.Module, open_modules: set[str]) -> Found:
    """What is taken from an imported module by a dot."""
    modules = {
        alias.asname or alias.name.partition(".")[0]: alias.name if alias.asname else alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    modules |= {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in open_modules
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        module, _, name = _dotted(node, modules).rpartition(".")
        if module in PUBLIC and name not in PUBLIC[module] and f"{module}.{name}" not in open_modules:
            yield node.lineno, f"{module}.{name}"


def _dotted(node: ast.expr, modules: dict[str, str]) -> str:
    """A chain of names as one text, with the real name of the module that it begins with; empty for other things."""
    if isinstance(node, ast.Name):
        return modules.get(node.id, "")
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value, modules)):
        return f"{before}.{node.attr}"
    return ""


def _private(tree: ast.Module) -> Found:
    """Attributes with an underscore in front, of anything but the object that a method is of.

    Those of named tuples, such as `_replace`, are public: the underscore keeps them apart from field names.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            owner = node.value
            is_own = isinstance(owner, ast.Name) and owner.id in ("self", "cls")
            if not is_own and node.attr not in ("_replace", "_asdict", "_fields"):
                yield node.lineno, f"private {ast.unparse(node)}"


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_it_uses_public_names_alone(file: Path) -> None:
    example = next(example for example in EXAMPLES if file.is_relative_to(example))
    is_test = file.is_relative_to(example / "tests")
    assert trespasses(file.read_text(), example.name.replace("-", "_"), is_test=is_test) == []


def test_each_package_uses_genlab_at_all() -> None:
    for example in EXAMPLES:
        assert "genlab.hookimpl" in next(example.glob("src/*/__init__.py")).read_text()
        assert any("from genlab.testing import" in file.read_text() for file in example.glob("tests/*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_it_is_short_and_asks_for_no_more_than_genlab_does(example: Path) -> None:
    project = tomllib.loads((example / "pyproject.toml").read_text())["project"]
    needs = {Requirement(text).name for text in project["dependencies"]}
    assert needs - {"genlab", "mlflow", "monai"} <= {Requirement(text).name for text in requires("genlab") or ()}
    if example.name not in EXAMINED:
        assert sum(len(file.read_text().splitlines()) for file in example.glob("src/*/*.py")) < 150


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import genlab.engine", "import of genlab.engine"),
        ("import genlab.registry.registry as g", "import of genlab.registry.registry"),
        ("from genlab.engine.loop import train_loop", "import of genlab.engine.loop"),
        ("from genlab import engine", "genlab.engine"),
        ("from genlab import _secret", "genlab._secret"),
        ("from genlab import Listener, Generatr", "genlab.Generatr"),
        ("from genlab.testing import GeneratorSuite", "import of genlab.testing"),
        ("from genlab_pix2pix import genlab_register", "import of genlab_pix2pix"),
        ("from genlab_pix2pix.unet import UNet", "import of genlab_pix2pix.unet"),
        ("import genlab\ngenlab.engine.loop.train", "genlab.engine"),
        ("import genlab\ngenlab.Generatr", "genlab.Generatr"),
        ("import genlab as g\ng.testing.GeneratorSuite", "genlab.testing"),
        ("def f():\n    import genlab as g\n    return g.api", "genlab.api"),
        ("event._step", "private event._step"),
        ("import monai\nmonai.networks._x.y", "private monai.networks._x"),
    ],
)
def test_a_name_that_is_not_public_is_found(code: str, what: str) -> None:
    found = trespasses(f"{code}\n", "genlab_mine")
    assert [line.partition(": ")[2] for line in found] == [what]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("from genlab.testing.suite import require", "import of genlab.testing.suite"),
        ("from genlab.testing import require_close", "genlab.testing.require_close"),
        ("import genlab.testing\ngenlab.testing.network.stir", "genlab.testing.network"),
        ("from genlab import testing as t\nt.network.stir", "genlab.testing.network"),
    ],
)
def test_a_test_may_use_what_testing_offers_and_no_more(code: str, what: str) -> None:
    found = trespasses(f"{code}\n", "genlab_mine", is_test=True)
    assert [line.partition(": ")[2] for line in found] == [what]


@pytest.mark.parametrize(
    "code",
    [
        "import genlab\ngenlab.Registry()",
        "from genlab import Listener as L",
        "from genlab_mine.net import _private",
        "self._file\ncls._files\nsuper().__init__()",
        "import genlab.testing\ngenlab.testing.GeneratorSuite\ngenlab.Listener",
        "from genlab import testing\ntesting.GeneratorSuite",
        "from genlab.testing import GeneratorSuite",
        "import os\nos.path.join",
    ],
)
def test_what_is_public_may_be_used(code: str) -> None:
    assert trespasses(f"{code}\n", "genlab_mine", is_test=True) == []


# What a package does where it is installed


Done = Callable[..., str]


@pytest.fixture
def done(fresh: Fresh, forked_fresh: list[str]) -> Done:
    """Run a command of the fresh environment's Python, which must succeed, and give what it prints."""

    def call(*arguments: str | Path, cwd: Path) -> str:
        result = fresh.run(*forked_fresh, *arguments, cwd=cwd)
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        return result.stdout

    return call


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Path]:
    """Copy what is not in a package's wheel, its tests and its recipe, to where no source of it is."""

    def copy(name: str) -> Path:
        return shutil.copytree(ROOT / "examples" / name, tmp_path / name, ignore=shutil.ignore_patterns("src", ".*"))

    return copy


def test_genlab_and_the_packages_are_installed_and_not_linked(fresh: Fresh, done: Done, tmp_path: Path) -> None:
    modules = ["genlab", *(name.replace("-", "_") for name in INSTALLED)]
    code = f"import {', '.join(modules)}; print({', '.join(f'{name}.__file__' for name in modules)})"
    places = done("-c", code, cwd=tmp_path).split()
    assert len(places) == len(modules)
    assert all(Path(place).is_relative_to(fresh.bin.parent) for place in places)


@pytest.mark.parametrize("name", INSTALLED)
def test_its_own_tests_pass(done: Done, copied: Callable[[str], Path], name: str) -> None:
    # Without rewritten assertions, for which pytest would have to be the first to import what it checks.
    told = done("-m", "pytest", "-q", "--assert=plain", "-p", "no:cacheprovider", cwd=copied(name))
    assert " passed" in told
    assert "skipped" not in told


# What makes a run of an example's recipe as short as it gets
SHORT = [
    "evaluate.pairs=2",
    "evaluate.validations=2",
    "train.values_every=1",
    "train.steps=2",
]


def options(*sets: str) -> list[str]:
    return [word for value in (*SHORT, *sets) for word in ("--set", value)]


def train_with_a_pause(done: Done, folder: Path) -> Path:
    """The run of an example's recipe: one step, a pause, and one step more."""
    done("-m", "genlab", "run", "recipe.toml", "--stop-at", "1", "--out", "run", *options(), cwd=folder)
    done("-m", "genlab", "resume", "run", cwd=folder)
    return folder / "run"


@pytest.mark.parametrize("name", [name for name in INSTALLED if name not in EXAMINED])
def test_its_recipe_is_trained_and_resumed(done: Done, copied: Callable[[str], Path], name: str) -> None:
    run = train_with_a_pause(done, copied(name))
    assert (run / "checkpoints" / "00000002").is_dir()


def test_networks_of_monai_are_trained_and_probed(done: Done, copied: Callable[[str], Path]) -> None:
    folder = copied("genlab-monai")
    run = train_with_a_pause(done, folder)
    assert (run / "checkpoints" / "00000002").is_dir()
    assert "level 3" in done("-m", "genlab", "probe", "run", cwd=folder)


def test_the_other_generator_of_monai_is_trained_too(done: Done, copied: Callable[[str], Path]) -> None:
    folder = copied("genlab-monai")
    sets = options("generator={name='monai_segresnet', init_filters=8}")
    done("-m", "genlab", "run", "recipe.toml", "--out", "run", *sets, cwd=folder)
    assert (folder / "run" / "checkpoints" / "00000002").is_dir()


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_run_is_written_to_csv_and_goes_on_there(done: Done, copied: Callable[[str], Path]) -> None:
    run = train_with_a_pause(done, copied("genlab-csv"))
    written = rows(run / "metrics.csv")

    facts = [(row["event"], int(row["step"]), row["quantity"], row["name"], row["image"]) for row in written]
    assert [step for event, step, _, name, _ in facts if (event, name) == ("step", "generator/l1")] == [1, 2]
    assert [step for event, step, _, name, _ in facts if (event, name) == ("validation", "validation/l1")] == [1, 2]
    assert [(step, name) for event, step, _, name, _ in facts if event == "ended"] == [(1, "paused"), (2, "finished")]
    assert len(set(facts)) == len(facts)
    assert all(float(row["value"]) == float(row["value"]) for row in written)


def test_an_ablation_is_written_to_csv(done: Done, copied: Callable[[str], Path]) -> None:
    folder = copied("genlab-csv")
    question = """
[ablation]
seeds = [0, 1]
baseline = "unet"
metric = "validation/l1"
[ablation.arms.unet]
[ablation.arms.no-skips]
generator.skips = false
"""
    (folder / "question.toml").write_text(f'extends = "recipe.toml"\n{question}')
    done("-m", "genlab", "ablate", "question.toml", "--out", "answer", *options(), cwd=folder)

    curves = rows(folder / "answer" / "curves.csv")
    found = [(row["arm"], row["metric"], int(row["step"])) for row in curves]
    assert found == [(arm, "validation/l1", step) for arm in ("unet", "no-skips") for step in (1, 2)]
    assert all(float(row["low"]) <= float(row["mean"]) <= float(row["high"]) for row in curves)
