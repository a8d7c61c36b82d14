import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genlab import PluginError
from genlab.registry.discovery.find import find_plugins
from genlab.registry.discovery.plugin import Plugin

HOOK = """\
import genlab

genlab_interface = "1.0"

@genlab.hookimpl
def genlab_register(registry):
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a plugin's file into the folder that the test is in."""
    monkeypatch.chdir(tmp_path)

    def call(text: str, name: str = "mine.py") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return call


def from_files(*files: Path) -> list[Plugin]:
    return [plugin for plugin in find_plugins(files) if plugin.file]


def names(plugin: Plugin) -> list[str]:
    return [f"{entry.kind.name} {entry.name}" for entry in plugin.registrations]


def test_the_first_party_plugins_come_through_the_door_that_others_use() -> None:
    found = {plugin.name: plugin for plugin in find_plugins()}
    assert {"pix2pix", "losses", "metrics", "images", "listeners", "tensorboard"} <= found.keys()
    assert {plugin.failure for plugin in found.values()} == {None}
    assert names(found["pix2pix"]) == [
        "generator unet",
        "generator encoder_decoder",
        "discriminator patchgan",
        "discriminator multiscale",
        "method pix2pix",
    ]
    assert (found["pix2pix"].package, found["pix2pix"].file) == ("genlab", None)
    assert str(found["pix2pix"]) == f"genlab {found['pix2pix'].version}"
    assert found["pix2pix"].version[0].isdigit()


def test_plugins_come_in_the_order_of_their_names_and_files_last(write: Write) -> None:
    file = write(f'{HOOK}    registry.loss("a", "x:Y")', "a.py")
    found = [plugin.name for plugin in find_plugins([file])]
    assert found == [*sorted(found[:-1]), "a"]


def test_a_file_is_a_plugin(write: Write) -> None:
    file = write(f'{HOOK}    registry.loss("charbonnier", "x:Y", epsilon=1e-3)')
    (plugin,) = from_files(file)
    assert (plugin.name, plugin.package, plugin.version, str(plugin)) == ("mine", "mine.py", "", "mine.py")
    assert plugin.file and plugin.file.path == file.resolve()
    assert names(plugin) == ["loss charbonnier"]
    assert plugin.registrations[0].preset == {"epsilon": 1e-3}


def test_a_file_may_be_given_by_any_path(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f'{HOOK}    registry.loss("a", "x:Y")', "deep/mine.py")
    monkeypatch.setenv("HOME", str(Path.cwd()))
    assert names(from_files(Path("~/deep/../deep/mine.py"))[0]) == ["loss a"]


def test_a_file_given_twice_is_one_plugin(write: Write) -> None:
    file = write(f'{HOOK}    registry.loss("a", "x:Y")')
    assert len(from_files(file, file.resolve(), Path("./mine.py"))) == 1


def test_two_files_of_one_name_cannot_be_told_apart(write: Write) -> None:
    files = [write(f'{HOOK}    registry.loss("a", "x:Y")', f"{folder}/mine.py") for folder in "ab"]
    with pytest.raises(PluginError, match=r"^--plugin b/mine\.py: a/mine\.py has the same name; rename one of them$"):
        find_plugins(files)


# The file's text, and what is said of it.
BROKEN = {
    "raises": ("x = 1\n\ndef f():\n    return {}['key']\n\nf()\n", "KeyError: 'key' (mine.py, line 4)"),
    "raises several lines": ("raise ValueError('one\\ntwo')", "ValueError: one two (mine.py, line 1)"),
    "raises without words": ("\nraise ValueError", "ValueError (mine.py, line 2)"),
    "is no Python": ("import genlab\ndef (:\n", "SyntaxError: invalid syntax (mine.py, line 2)"),
    "needs another package": (
        "import genlab\nimport no_such_package\n",
        "ModuleNotFoundError: No module named 'no_such_package' (mine.py, line 2)",
    ),
    "ends the process": ("import sys\nsys.exit(3)\n", "SystemExit: 3 (mine.py, line 2)"),
    "has no hook": ("x = 1", "it has no hook `genlab_register` marked with `@genlab.hookimpl`"),
    "has no marked hook": (
        "def genlab_register(registry): ...",
        "it has no hook `genlab_register` marked with `@genlab.hookimpl`",
    ),
    "has a misspelt hook": (
        HOOK.replace("register(", "registr(") + "    pass",
        "unknown hook 'genlab_registr'; a plugin's hook is `genlab_register(registry)`",
    ),
    "takes another argument": (
        HOOK.replace("(registry)", "(registry, app)") + "    pass",
        "Argument(s) {'app'} are declared in the hookimpl but can not be found in the hookspec;"
        " a plugin's hook is `genlab_register(registry)`",
    ),
    "registers a misspelt kind": (
        f'{HOOK}    registry.generatr("a", "x:Y")',
        "AttributeError: 'Registry' object has no attribute 'generatr' (mine.py, line 7)",
    ),
    "registers what is no name": (
        f'{HOOK}    registry.generator("a b", "x:Y")',
        "generator name 'a b' is not a word of letters, digits and underscores",
    ),
}


@pytest.mark.parametrize(("text", "what"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_fails_says_why_and_where(text: str, what: str, write: Write) -> None:
    with pytest.raises(PluginError) as caught:
        find_plugins([write(text)])
    assert str(caught.value) == f"--plugin mine.py: {what}"


NEIGHBORS = {
    "a module": ("import blocks", "blocks.py"),
    "a module's part": ("from blocks import Block", "blocks.py"),
    "a package": ("import torch, parts.blocks", "parts/__init__.py"),
    "one by a relative import": ("from .blocks import Block", "blocks.py"),
    "all of them": ("from . import blocks", "blocks.py"),
    "one later": ("def build():\n    import blocks", "blocks.py"),
    "one by a path of its own": (
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\nimport blocks",
        "blocks.py",
    ),
}


@pytest.mark.parametrize(("text", "name"), NEIGHBORS.values(), ids=NEIGHBORS)
@pytest.mark.parametrize("is_found", [True, False], ids=["found", "not found"])
def test_a_file_that_imports_another_beside_it_is_refused(
    text: str, name: str, is_found: bool, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run keeps a copy of the plugin's file alone, so it could not be resumed; and nothing would notice a change."""
    write("Block = 3", name)
    if is_found:
        monkeypatch.syspath_prepend(str(Path.cwd()))
    with pytest.raises(PluginError) as caught:
        find_plugins([write(f"raise SystemExit\n{text}\n")])
    line = text.count("\n") + 2
    assert f"--plugin mine.py: line {line} imports {name} beside it" in str(caught.value)
    assert "gen plugins new NAME --kind KIND" in str(caught.value.hint)


def test_what_is_installed_is_imported_whatever_lies_beside(write: Write) -> None:
    for name in ("json.py", "numpy/data.csv", "rich/__init__.py"):
        write("raise SystemExit", name)
    file = write(f'import json, numpy\nfrom rich import print\n{HOOK}    registry.loss("a", "x:Y")')
    assert names(from_files(file)[0]) == ["loss a"]


def test_what_is_no_file_is_told(write: Write) -> None:
    write("x", "folder.py/inner.py")
    for given in ("nowhere.py", "folder.py"):
        with pytest.raises(PluginError, match=rf"^--plugin {given}: there is no such file$"):
            find_plugins([Path(given)])
    with pytest.raises(PluginError, match=r"^--plugin mine\.txt: mine\.txt is not a Python file$"):
        find_plugins([write(HOOK, "mine.txt")])


def test_a_file_that_no_recipe_could_name_is_refused(write: Write) -> None:
    with pytest.raises(PluginError, match="not UTF-8 text"):
        find_plugins([write(HOOK + "    pass", "mi\udcffne.py")])


def install(site: Path, package: str, modules: dict[str, str], points: dict[str, str], version: str = "1.2") -> None:
    """Make a distribution in a folder, as pip would."""
    info = site / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    lines = [f"{name} = {module}" for name, module in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[genlab]", *lines]) + "\n")
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)


LIST = """
import json
from genlab.registry.components import Components
from genlab.errors import GenlabError
from genlab.registry.discovery.find import find_plugins

plugins = find_plugins()
print(json.dumps({
    "plugins": [[str(plugin), plugin.name, plugin.failure, len(plugin.registrations)] for plugin in plugins],
    "generators": Components(plugins).names("generator"),
}))
"""


def listed(python: list[str], site: Path) -> dict[str, list[str]]:
    """What a process of its own finds, with a folder of installed packages more."""
    path = os.pathsep.join([str(site), *sys.path[1:]])
    command = [*python, "-W", "error", "-c", LIST]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=True)
    return json.loads(result.stdout)


@pytest.mark.cold
def test_an_installed_package_adds_its_components(tmp_path: Path, python: list[str]) -> None:
    hook = f'{HOOK}    registry.generator("resnet", "no_such_module:Class")'
    install(tmp_path, "genlab-resnet", {"genlab_resnet": hook}, {"resnet": "genlab_resnet"})
    found = listed(python, tmp_path)
    assert ["genlab-resnet 1.2", "resnet", None, 1] in found["plugins"]
    assert {"resnet", "unet"} <= set(found["generators"])


@pytest.mark.cold
def test_a_broken_package_is_kept_with_its_failure_and_harms_nobody(tmp_path: Path, python: list[str]) -> None:
    modules = {
        "broken_one": "import no_such_package",
        "broken_two": "raise SystemExit",
        "broken_three": HOOK + '    registry.generator("fine", "x:Y")\n    raise RuntimeError("not so fine")',
        "sound": f'{HOOK}    registry.generator("resnet", "x:Y")',
    }
    points = {name: name for name in modules} | {"missing": "no_such_module", "no_object": "sound:nothing"}
    install(tmp_path, "genlab-mixed", modules, points)
    found = listed(python, tmp_path)
    failures = {name: failure for package, name, failure, _ in found["plugins"] if package == "genlab-mixed 1.2"}
    assert failures == {
        "broken_one": "ModuleNotFoundError: No module named 'no_such_package' (broken_one.py, line 1)",
        "broken_two": "SystemExit (broken_two.py, line 1)",
        "broken_three": "RuntimeError: not so fine (broken_three.py, line 8)",
        "missing": "its entry point names the module `no_such_module`, which does not exist;"
        " fix [project.entry-points.genlab] in its pyproject.toml, and install it again",
        "no_object": "AttributeError: module 'sound' has no attribute 'nothing'",
        "sound": None,
    }
    assert {"resnet", "unet"} <= set(found["generators"])
    assert "fine" not in found["generators"]


@pytest.mark.cold
def test_packages_with_one_entry_point_name_are_both_found(tmp_path: Path, python: list[str]) -> None:
    for package in ("one", "two"):
        hook = f'{HOOK}    registry.generator("net_{package}", "x:Y")'
        install(tmp_path, f"genlab-{package}", {f"genlab_{package}": hook}, {"same": f"genlab_{package}"})
    assert {"net_one", "net_two"} <= set(listed(python, tmp_path)["generators"])
