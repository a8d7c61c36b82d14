import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import genlab

INIT = Path(genlab.__file__)

# Prints every module of PyTorch that was imported when Python ends, however it ends.
WATCH = """\
import atexit, sys
atexit.register(lambda: sys.stderr.write("torch: " + " ".join(sorted(m for m in sys.modules if m == "torch"))))
"""


@pytest.mark.parametrize("name", genlab.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(genlab, name)
    assert name in dir(genlab)
    if isinstance(value, type):
        assert value.__name__ == name
        assert value.__module__.startswith("genlab.")
        assert value.__doc__, f"{value.__module__}.{name} is public: give it a docstring"


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="No genlab attribute Generatr"):
        genlab.Generatr  # noqa: B018


@pytest.mark.parametrize(("old", "new"), [("Shared", "Outputs"), ("Values", "StepMetrics")])
def test_an_old_name_is_an_error_with_the_new_one(old: str, new: str) -> None:
    with pytest.raises(ImportError, match=f"genlab.{old} is called genlab.{new} now"):
        exec(f"from genlab import {old}")
    assert hasattr(genlab, new)


def test_an_event_s_old_field_is_an_error_with_the_new_one() -> None:
    event = genlab.Compared(Path(), [], [], {}, {})
    with pytest.raises(
        AttributeError, match="'Compared' object has no attribute 'courses'; `courses` is called `curves` now"
    ):
        event.courses  # noqa: B018
    assert not hasattr(event, "nothing")


def test_the_version_is_that_of_the_package() -> None:
    assert genlab.__version__ == version("genlab")


def watched(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the watch, and with modules that lie in a folder; what the watch saw ends standard error."""
    (folder / "sitecustomize.py").write_text(WATCH)
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    assert result.returncode == 0, result.stderr
    assert "torch:" in result.stderr
    return result


def imports_torch(folder: Path, *arguments: str) -> bool:
    return watched(folder, *arguments).stderr.rpartition("torch:")[2].strip() == "torch"


ADVICE = (
    "import PyTorch, and modules of genlab that do, inside the functions that compute with it, or under TYPE_CHECKING; "
    "`python -X importtime {}` shows who imports it"
)

LIGHT = [
    "genlab",
    "genlab.ablation.earlier_report",
    "genlab.ablation.eta",
    "genlab.ablation.power",
    "genlab.ablation.sequential",
    "genlab.ablation.statistics",
    "genlab.cli",
    "genlab.config.backslashes",
    "genlab.config.builtin",
    "genlab.config.changed_values",
    "genlab.config.component_name",
    "genlab.config.copy",
    "genlab.config.diagnostics",
    "genlab.config.document",
    "genlab.config.load",
    "genlab.config.locations",
    "genlab.config.moved_settings",
    "genlab.config.other_names",
    "genlab.config.overrides",
    "genlab.config.render",
    "genlab.config.schema",
    "genlab.config.init_table",
    "genlab.config.syntax_errors",
    "genlab.config.toml",
    "genlab.config.validate",
    "genlab.data.scaled_size",
    "genlab.drawing.contact_sheet",
    "genlab.drawing.curves",
    "genlab.drawing.forest",
    "genlab.drawing.svg",
    "genlab.engine.checkpoint_files",
    "genlab.engine.checkpoint_state",
    "genlab.errors",
    "genlab.images.folder",
    "genlab.images.read",
    "genlab.images.write",
    "genlab.interfaces.dataset",
    "genlab.interfaces.kinds",
    "genlab.interfaces.listener",
    "genlab.interfaces.predictions",
    "genlab.registry.components",
    "genlab.registry.contract",
    "genlab.registry.discovery.blame",
    "genlab.registry.discovery.find",
    "genlab.registry.discovery.guard",
    "genlab.registry.discovery.load",
    "genlab.registry.discovery.overview",
    "genlab.registry.discovery.plugin",
    "genlab.registry.discovery.plugin_file",
    "genlab.registry.discovery.trust",
    "genlab.registry.discovery.version",
    "genlab.registry.hooks",
    "genlab.registry.documentation",
    "genlab.registry.registry",
    "genlab.runs.image_warnings",
    "genlab.runs.folder",
    "genlab.runs.former_recipes",
    "genlab.runs.kept_recipe",
    "genlab.runs.manifest",
    "genlab.runs.prediction_size",
    "genlab.runs.recipe_changes",
    "genlab.runs.run_list",
    "genlab.scaffold.names",
    "genlab.scaffold.package",
    "genlab.util.arguments",
    "genlab.util.environment",
    "genlab.util.exceptions",
    "genlab.util.files",
]


# Each module is imported by a fork of a process that has imported nothing yet.
FORKS = """
import importlib, json, os, sys

heavy = []
for module in sys.argv[1:]:
    if (child := os.fork()) == 0:
        importlib.import_module(module)
        os._exit(42 if "torch" in sys.modules else 0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 42), f"{module} cannot be imported"
    heavy += [module] if status else []
print(json.dumps(heavy))
"""


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Those modules that import PyTorch when they are imported, with one among them that does for sure."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "a_heavy_one.py").write_text("def f():\n    import torch\n\nf()\n")
    return json.loads(watched(folder, "-c", FORKS, "a_heavy_one", *LIGHT).stdout)


@pytest.mark.cold
@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_imports_no_torch(module: str, heavy: list[str]) -> None:
    assert module not in heavy, ADVICE.format(f"-c 'import {module}'")


@pytest.mark.cold
def test_a_module_that_imports_torch_would_be_found(heavy: list[str]) -> None:
    assert "a_heavy_one" in heavy


def test_every_module_of_config_is_among_those_that_are_watched() -> None:
    modules = {f"genlab.config.{path.stem}" for path in (INIT.parent / "config").glob("[a-z]*.py")}
    assert sorted(modules - set(LIGHT)) == [], f"add these to LIGHT in {Path(__file__).name}"


@pytest.mark.cold
def test_looking_at_what_there_is_imports_no_torch(tmp_path: Path) -> None:
    names = "genlab.DataError, genlab.hookimpl, genlab.Dataset, genlab.Listener, genlab.Registry"
    code = f"import genlab; {names}; dir(genlab)"
    assert not imports_torch(tmp_path, "-c", code), ADVICE.format(f"-c '{code}'")
    found = "from genlab.registry.discovery.find import find_plugins; assert len(find_plugins()) >= 6"
    assert not imports_torch(tmp_path, "-c", found), ADVICE.format(f"-c '{found}'")


LOOKS = [
    "--help",
    "run --help",
    "--version",
    "recipes list",
    "plugins list",
    "plugins list --json",
    "plugins new --help",
]


@pytest.mark.cold
@pytest.mark.parametrize("words", LOOKS)
def test_commands_that_need_no_torch_import_none(words: str, tmp_path: Path) -> None:
    assert not imports_torch(tmp_path, "-m", "genlab", *words.split()), ADVICE.format(f"-m genlab {words}")


@pytest.mark.cold
def test_a_command_that_imports_torch_would_be_found(tmp_path: Path) -> None:
    assert imports_torch(tmp_path, "-c", "import genlab; genlab.Generator")
