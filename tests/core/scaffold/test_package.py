from __future__ import annotations

import ast
import os
import re
import resource
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import genlab
from genlab import PluginError, StorageError
from genlab.interfaces.kinds import KINDS
from genlab.scaffold.names import IMPORTED, LONGEST
from genlab.scaffold.package import create_plugin

Packages = dict[str, Path]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    variables = {**os.environ, **environment}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """A package of each kind, by kind."""
    below = tmp_path_factory.mktemp("packages")
    return {kind: create_plugin(f"edge-aware-{kind}", kind, out=below) for kind in KINDS}


@pytest.fixture(scope="module")
def site(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all of them are installed in."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, "--target", folder, *packages.values(), cwd=folder)
    return folder


def python_files(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(folder.rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[tuple[str, Sequence[str]]]:
    """Modules that a file imports, and the names that it takes from each."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            yield node.module, [alias.name for alias in node.names]


# What is written


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_has_these_files(kind: str, packages: Packages) -> None:
    folder, name = packages[kind], f"edge_aware_{kind}"
    assert folder.name == f"genlab-edge-aware-{kind}"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        ".github/workflows/test.yml",
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "recipe.toml",
        f"src/genlab_{name}/__init__.py",
        f"src/genlab_{name}/{name}.py",
        f"tests/test_{name}.py",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_is_and_what_it_needs(kind: str, packages: Packages) -> None:
    project = tomllib.loads((packages[kind] / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"genlab-edge-aware-{kind}"
    assert project["version"] == "0.1.0"
    assert project["requires-python"] == ">=3.11"
    assert project["entry-points"]["genlab"] == {f"edge_aware_{kind}": f"genlab_edge_aware_{kind}"}
    assert project["optional-dependencies"] == {"test": ["pytest>=8.3"]}
    assert "genlab>=0.1" in project["dependencies"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_needs_just_what_it_imports(kind: str, packages: Packages) -> None:
    project = tomllib.loads((packages[kind] / "pyproject.toml").read_text())["project"]
    needed = {re.split(">=", line)[0].replace("-", "_") for line in project["dependencies"]}
    imported = {module.split(".")[0] for _, tree in python_files(packages[kind] / "src") for module, _ in imports(tree)}
    assert needed == imported - sys.stdlib_module_names


@pytest.mark.parametrize("kind", KINDS)
def test_no_class_can_have_the_name_of_what_is_imported(kind: str, packages: Packages) -> None:
    ours = f"genlab_edge_aware_{kind}"
    for _, tree in python_files(packages[kind]):
        taken = {name for module, names in imports(tree) if not module.startswith(ours) for name in names}
        assert {name for name in taken if name[0].isupper()} <= IMPORTED | set(genlab.__all__)


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugin_says_which_interface_it_is_made_for(kind: str, packages: Packages) -> None:
    from genlab.registry.hooks import INTERFACE

    text = (packages[kind] / "src" / f"genlab_edge_aware_{kind}" / "__init__.py").read_text()
    assert f'\ngenlab_interface = "{INTERFACE}"\n' in text


def test_the_workflow_keeps_what_is_no_template_of_ours(packages: Packages) -> None:
    text = (packages["loss"] / ".github" / "workflows" / "test.yml").read_text()
    assert "python-version: ${{ matrix.python }}\n" in text
    assert "pip install \"${{ vars.GENLAB || 'genlab' }}\"\n" in text
    assert text.endswith("      - run: gen plugins check edge_aware_loss\n")


@pytest.mark.parametrize("kind", KINDS)
def test_no_line_of_text_is_left_ragged(kind: str, packages: Packages) -> None:
    for file in packages[kind].rglob("*"):
        if file.is_file():
            text = file.read_bytes().decode()
            assert text.endswith("\n")
            assert not text.endswith("\n\n")
            assert "\r" not in text
            assert not re.search(r"[ \t]\n|\n{4}|\{[{%#] ", text.replace("${{ ", ""))
            assert file.suffix == ".py" or "\n\n\n" not in text


def test_the_code_is_as_ruff_would_have_it(packages: Packages, tmp_path: Path) -> None:
    longest = [create_plugin(("a_" * 20 + kind)[-LONGEST:].strip("_"), kind, out=tmp_path) for kind in KINDS]
    assert max(len(folder.name) for folder in longest) >= LONGEST + len("genlab-") - 1
    for rules in ([], ["--select", "E,F,W,I,UP,B,N,RUF"]):
        run("ruff", "check", "--no-cache", *rules, *packages.values(), *longest, cwd=tmp_path)
    run("ruff", "format", "--check", "--no-cache", *packages.values(), *longest, cwd=tmp_path)


# What is refused


def test_a_kind_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        create_plugin("mine", "metrics", out=tmp_path)
    kinds = (
        "generator, discriminator, network, loss, dataset, augmentation, metric, method, optimizer, schedule, listener"
    )
    assert str(caught.value) == f'unknown kind of component "metrics"; the kinds are {kinds}\nDid you mean `metric`?'


@pytest.mark.parametrize("kind", ["folder", "file", "link to nowhere"])
def test_what_is_there_is_never_overwritten(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "genlab-mine"
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to("nowhere")
    before = target.lstat()
    with pytest.raises(PluginError) as caught:
        create_plugin("mine", "loss", out=tmp_path)
    assert str(caught.value) == f"{target}: the path already exists; nothing was written\nChoose another name or --out."
    assert target.lstat() == before
    assert list(tmp_path.iterdir()) == [target]


TAKEN = [
    ("l1", "loss", f"genlab {genlab.__version__} gives a loss of this name already"),
    ("drawn-facades", "dataset", f"genlab {genlab.__version__} gives a dataset of this name already"),
    ("losses", "metric", f"genlab {genlab.__version__} has a plugin of this name already"),
    ("zebra", "loss", "there is a module `genlab_zebra` already"),
]


@pytest.mark.parametrize(("name", "kind", "what"), TAKEN)
def test_a_name_that_is_taken(name: str, kind: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "genlab_zebra.py").write_text("raise AssertionError('it is not imported')")
    monkeypatch.syspath_prepend(modules)
    with pytest.raises(PluginError) as caught:
        create_plugin(name, kind, out=tmp_path / "new")
    assert str(caught.value) == f"{name.replace('-', '_')}: {what}\nChoose another name."
    assert not (tmp_path / "new").exists()


def test_a_name_of_another_kind_is_free(tmp_path: Path) -> None:
    assert create_plugin("ssim", "loss", out=tmp_path) == tmp_path / "genlab-ssim"


# What goes wrong


def test_the_folder_above_is_made(tmp_path: Path) -> None:
    folder = create_plugin("mine", "loss", out=tmp_path / "deep" / "er")
    assert folder == tmp_path / "deep" / "er" / "genlab-mine"
    assert list(folder.parent.iterdir()) == [folder]
    assert folder.stat().st_mode == folder.parent.stat().st_mode


@pytest.mark.parametrize(("below", "why"), [("file", "File exists"), ("file/inner", "Not a directory")])
def test_a_folder_above_that_is_a_file(below: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError) as caught:
        create_plugin("mine", "loss", out=tmp_path / below)
    assert str(caught.value) == f"{tmp_path / below / 'genlab-mine'}: cannot be written: {why}"
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_above_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot be written: Permission denied"):
            create_plugin("mine", "loss", out=tmp_path)
    finally:
        tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_gives_out_midway_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # The first file, pyproject.toml, fits, and the README does not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(StorageError) as caught:
            create_plugin("mine", "loss", out=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value) == f"{tmp_path / 'genlab-mine'}: cannot be written: File too large"
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path, _target: Path) -> Path:
        assert (folder / "pyproject.toml").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create_plugin("mine", "loss", out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_came_there_in_the_meantime_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "genlab-mine"
    rename = Path.rename

    def raced(folder: Path, to: Path) -> Path:
        to.mkdir()
        (to / "theirs").touch()
        return rename(folder, to)

    monkeypatch.setattr(Path, "rename", raced)
    with pytest.raises(PluginError, match="the path already exists; nothing was written"):
        create_plugin("mine", "loss", out=tmp_path)
    assert list(tmp_path.iterdir()) == [target]
    assert list(target.iterdir()) == [target / "theirs"]


@pytest.mark.cold
def test_writing_one_imports_no_torch(tmp_path: Path, python: list[str]) -> None:
    code = "import sys; from pathlib import Path; from genlab.scaffold.package import create_plugin"
    code += "; create_plugin('mine', 'generator'); assert 'torch' not in sys.modules"
    run(*python, "-c", code, cwd=tmp_path)
    assert (tmp_path / "genlab-mine").is_dir()


# What it does


@pytest.mark.cold
def test_all_of_them_pass_their_own_tests(packages: Packages, site: Path, tmp_path: Path, python: list[str]) -> None:
    tests = [folder / "tests" for folder in packages.values()]
    options = ["-q", "-W", "error", "--import-mode=importlib", "-p", "no:cacheprovider", "-rA"]
    output = run(*python, "-m", "pytest", *options, *tests, cwd=tmp_path, PYTHONPATH=str(site), OMP_NUM_THREADS="1")
    assert output.count("::test_the_recipe_trains") == len(KINDS)
    for kind in KINDS:
        assert re.search(rf"PASSED \S+::TestEdgeAware{kind.capitalize()}::test_a_recipe_can_name_it", output)


def test_the_readme_tells_what_works(packages: Packages, site: Path, tmp_path: Path, python: list[str]) -> None:
    folder = packages["listener"]
    trial = "gen run recipe.toml --steps 2"
    assert f"    {trial}\n" in (folder / "README.md").read_text()
    out = tmp_path / "run"
    run(*python, "-m", "genlab", *trial.split()[1:], "--out", out, cwd=folder, PYTHONPATH=str(site))
    assert "finished at step 2 of 2" in (out / "summary.md").read_text()
