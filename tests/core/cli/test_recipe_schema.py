"""`gen recipes schema`: what a TOML language server makes of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests import language_server as client
from tests.conftest import ROOT, GenCommand
from tests.language_server import OFFLINE, TOMBI, LanguageServer, SilentServerError, language_server

import genlab

pytestmark = pytest.mark.skipif(TOMBI is None, reason="tombi is not installed")


@pytest.fixture(scope="module")
def schema() -> str:
    return json.dumps(genlab.recipe_schema())


@pytest.fixture
def folder(tmp_path: Path, schema: str) -> Path:
    (tmp_path / "recipe.schema.json").write_text(schema)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    assert TOMBI
    return subprocess.run(
        [TOMBI, "lint", "."], cwd=folder, env=OFFLINE, capture_output=True, text=True, timeout=60, check=False
    )


def test_recipes_that_ship_are_valid_as_written_and_as_resolved(folder: Path) -> None:
    for name in genlab.list_recipes():
        genlab.copy_recipe(name, folder)
        resolved = genlab.read_recipe(name).recipe.toml()
        (folder / f"{name}_resolved.toml").write_text(f"#:schema ./recipe.schema.json\n{resolved}")
    genlab.copy_recipe(ROOT / "tests" / "assets" / "tiny.toml", folder)
    found = lint(folder)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("levels = 8", "levls = 8", '"levls" is not allowed'),
        ("levels = 8", 'levels = "8"', "type Integer, but found String"),
        ('norm = "batch"', 'norm = "bacth"', "bacth"),
        ('name = "genlab:unet"', 'name = "genlab:unett"', "unett"),
        ("[losses.l1]", "[lossess.l1]", '"lossess" is not allowed'),
        ("batch_size = 1", "batch_size = 0", "0"),
        ("count = 400", "coont = 400", '"coont" is not allowed'),
        ('name = "genlab:constant"', "warmup = 2", "2"),
        ("validations = 10", "validation = 10", '"validation" is not allowed'),
    ],
)
def test_a_planted_mistake_is_marked(folder: Path, right: str, wrong: str, said: str) -> None:
    copied = genlab.copy_recipe("unet_facades", folder / "mine.toml")
    text = copied.read_text()
    assert text.count(right) == 1
    copied.write_text(text.replace(right, wrong))
    found = lint(folder)
    line = text[: text.index(right)].count("\n") + 1
    assert found.returncode == 1
    assert said in found.stdout + found.stderr
    assert f"mine.toml:{line}:" in found.stdout + found.stderr, found.stderr


def test_keys_and_names_are_completed(folder: Path) -> None:
    head = "#:schema ./recipe.schema.json\n"
    with language_server(folder) as server:
        tables = server.completions(folder / "tables.toml", f"{head}")
        keys = server.completions(folder / "keys.toml", f'{head}[generator]\nname = "genlab:unet"\n')
        values = server.completions(folder / "values.toml", f"{head}[generator]\nname = ")
    assert {"generator", "losses", "train"} <= set(tables)
    assert {"levels", "skips"} <= set(keys), keys
    assert '"genlab:unet"' in values, values


def test_a_silent_server_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.2)
    with subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        with pytest.raises(SilentServerError, match=r"initialize got no answer within 0\.2 s"):
            LanguageServer(process).ask("initialize", {})
        assert process.wait(5) != 0


def test_a_copy_comes_with_its_schema(gen: GenCommand, tmp_path: Path, schema: str) -> None:
    copied = gen("recipes", "copy", "unet_facades", "mine.toml")
    assert copied.stdout == "mine.toml\n", copied.stderr
    assert json.loads((tmp_path / "recipe.schema.json").read_text()) == json.loads(schema)
    refused = gen("recipes", "schema", "--out", "recipe.schema.json")
    assert refused.returncode == 2
    assert "recipe.schema.json: the file already exists" in refused.stderr


PLUGIN = '''
import genlab

@genlab.hookimpl
def genlab_register(registry):
    registry.metric("fine", Fine)
    registry.metric("broken", Broken)

class Fine(genlab.Metric):
    """A metric of one's own."""
    higher_is_better = True
    def __init__(self, strength: int = 3) -> None:
        self.strength = strength
    def update(self, condition, target, prediction): ...
    def compute(self): return 0.0
    def reset(self): ...
    def merge(self, other): ...

class Broken(genlab.Metric):
    higher_is_better = True
    def __init__(self, **anything): ...
    def update(self, condition, target, prediction): ...
    def compute(self): return 0.0
    def reset(self): ...
    def merge(self, other): ...
'''


def test_a_plugin_is_in_it_and_a_broken_component_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    metrics = genlab.recipe_schema(plugins=[tmp_path / "own.py"])["$defs"]["metric"]["oneOf"]
    names = {name for table in metrics for name in table["properties"].get("name", {}).get("enum", [])}
    assert "fine" in names
    assert "broken" not in names
    assert "broken" in caplog.text
