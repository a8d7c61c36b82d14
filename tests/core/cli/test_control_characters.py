"""Text of recipes, names of files and messages do not command the terminal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text
from tests.conftest import GenCommand

from genlab.cli.output import make_console
from genlab.util.escapes import escape_controls, one_line

EVIL = "\x1b]0;owned\x07\x9b31m\u202egnp.exe\r[red]x[/red][link=http://a.b]y[/link]"
TOML = EVIL.replace("\x1b", "\\u001b").replace("\x07", "\\u0007").replace("\x9b", "\\u009b").replace("\r", "\\r")
SIGNS = "\x1b\x07\x9b\u202e\r"


def harmless(text: str) -> bool:
    return not set(SIGNS) & set(text)


def test_controls_are_escaped_as_toml_and_json_write_them() -> None:
    assert escape_controls("a\x1b[31m\nb\t\u202ec\x9bé") == "a\\u001b[31m\nb\t\\u202ec\\u009bé"
    assert one_line("a\nerror: b") == "a\\nerror: b"


def test_a_console_escapes_what_it_is_given_and_keeps_its_own_colors(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console()
    console.print(EVIL, Text(EVIL, "bold"))
    table = Table(EVIL)
    table.add_row(EVIL)
    console.print(table)
    shown = capsys.readouterr().out
    assert harmless(shown) and "[link=http://a.b]" in shown


@pytest.fixture
def recipe(tiny: Path, tmp_path: Path) -> Path:
    path = tmp_path / "evil.toml"
    arms = '[ablation]\nseeds=[0]\nbaseline="a"\nmetric="validation/l1"\n[ablation.arms.a]\n[ablation.arms.b]\nseed=1\n'
    path.write_text(f'extends = "{tiny}"\ntitle = "{TOML}"\n[losses."{TOML}"]\nname = "l1"\n{arms}')
    return path


@pytest.mark.parametrize("words", [["check"], ["recipes", "show"], ["ablate", "--plan"], ["run", "--steps", "1"]])
def test_a_recipe(gen: GenCommand, recipe: Path, tmp_path: Path, words: list[str]) -> None:
    done = gen(*words, recipe, *(["--set", "listeners.console={}"] if words[0] == "run" else []))
    assert harmless(done.stdout + done.stderr), repr(done.stdout + done.stderr)


@pytest.mark.parametrize("name", ["a\x1b[31m\x9bb", "a\u202eb", "a\nerror: b"])
def test_names_of_files(gen: GenCommand, tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toml").write_text("[")
    (tmp_path / f"{name}.py").write_text("raise ValueError('\\x1b[31m')")
    for words in (["check", f"{name}.toml"], ["plugins", "list", "--plugin", f"{name}.py"], ["run", name]):
        done = gen(*words)
        assert done.returncode == 2 and harmless(done.stdout + done.stderr), repr(done.stderr)
        assert "\nerror: b" not in done.stderr


def test_data_for_programs_are_exact_and_safe_on_a_terminal(python: list[str], recipe: Path, gen: GenCommand) -> None:
    pty = pytest.importorskip("pty")
    source = recipe.rename(recipe.with_name("\x1b[31m.toml"))
    assert gen("recipes", "copy", source, "copy.toml").stdout == "copy.toml\n"
    ours, terminal = pty.openpty()
    command = [*python, "-m", "genlab", "recipes", "copy", str(source), str(source.with_name("\x1b[32m.toml"))]
    subprocess.run(command, stdout=terminal, check=True, stderr=subprocess.DEVNULL)
    os.close(terminal)
    assert "\x1b" not in os.read(ours, 1024).decode()
    os.close(ours)
