"""Commands that messages, docstrings and templates advise: each has a verb and options that there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from genlab.cli.app import app

ROOT = Path(__file__).parents[1]
_COMMAND = re.compile(r"(?:`|: |^ *(?:- run: )?|\n *)(gen (?:-|[a-z]+)[^`\n]*)")


def advised() -> Iterator[tuple[str, str]]:
    """Each command with its file; what is filled in is X."""
    for folder in ("core", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for text in _texts(ast.parse(path.read_text())):
                yield from ((command, path.name) for command in _COMMAND.findall(text))
        for path in sorted((ROOT / folder).rglob("*.jinja")):
            text = re.sub(r"\{\{.*?\}\}", "X", path.read_text())
            yield from ((command, path.name) for command in _COMMAND.findall(text))


def _texts(tree: ast.AST) -> Iterator[str]:
    inner = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(str(text)) if id(node) not in inner:
                yield text
            case ast.JoinedStr(values):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in values)
            case _:
                pass


COMMANDS = dict.fromkeys(sorted(advised()))


def test_commands_are_found() -> None:
    assert len(COMMANDS) > 25
    verbs = {command.split()[1] for command, _ in COMMANDS}
    assert {"run", "resume", "ablate", "board", "plugins", "recipes", "data", "predict"} <= verbs


@pytest.mark.parametrize(("command", "file"), COMMANDS)
def test_it_is_accepted_as_it_is_printed(command: str, file: str) -> None:
    """A verb alone is a mention; what follows one is complete."""
    words = re.sub(r"[;,.:]?$", "", command).replace("KIND", "generator").replace(" N", " 1").split()[1:]
    found = get_command(app)
    while words and isinstance(found, TyperGroup) and not words[0].startswith("-"):
        assert words[0] in found.commands, (command, file)
        found = found.commands[words.pop(0)]
    if words and words != ["--debug"]:
        found.make_context("gen", words)
