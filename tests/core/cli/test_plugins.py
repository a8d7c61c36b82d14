"""`gen plugins`: list, show, check and new, as a person calls them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import GenCommand

from genlab.interfaces.kinds import KINDS
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins
from genlab.registry.documentation import component_docs
from genlab.testing import GeneratorSuite
from genlab.testing.suite import tests_of as checks_of

PLUGIN = """
from typing import Annotated

import genlab
import torch
from annotated_types import Ge


class Plain(genlab.Generator):
    \"\"\"One convolution.

    Args:
        width: how wide it is.
        name_of_file: where to read something.
        factor: what to multiply with, if anything.
    \"\"\"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        name_of_file: str = "a \\"quoted\\" name",
        width: Annotated[int, Ge(1)] = 3,
        factor: float | None = None,
    ) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(in_channels, out_channels, 2 * width + 1, padding=width)

    def forward(self, condition):
        return self.layer(condition){end}


@genlab.hookimpl
def genlab_register(registry):
    registry.generator("plain", Plain)
    registry.generator("wide", Plain, width=7)
"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    (tmp_path / "sound.py").write_text(PLUGIN.replace("{end}", ""))
    return tmp_path / "sound.py"


@pytest.fixture
def bounded(tmp_path: Path) -> Path:
    (tmp_path / "bounded.py").write_text(PLUGIN.replace("{end}", ".tanh()"))
    return tmp_path / "bounded.py"


def test_a_list_has_every_component_with_whose_it_is(gen: GenCommand, sound: Path) -> None:
    done = gen("plugins", "list", "--plugin", sound)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines() if line]
    assert lines[0] == ["kind", "name", "package", "version", "import", "state"]
    found = {(line[0], line[1]): line[2:] for line in lines[1:]}
    assert found["generator", "unet"][0] == "genlab"
    assert found["generator", "unet"][-1] == "ok"
    assert found["generator", "plain"][:2] == ["sound.py", "-"]
    assert len(found) == sum(len(plugin.registrations) for plugin in find_plugins()) + 2


def test_a_list_in_json_says_the_same(gen: GenCommand, sound: Path) -> None:
    rows = json.loads(gen("plugins", "list", "--plugin", sound, "--json").stdout)
    plain = next(row for row in rows if row["name"] == "plain")
    assert 0 <= plain.pop("import_seconds") < 5
    assert plain == {
        "kind": "generator",
        "name": "plain",
        "plugin": "sound",
        "package": "sound.py",
        "version": None,
        "state": "ok",
        "why": None,
    }


def test_a_component_is_shown_with_its_settings(gen: GenCommand, sound: Path) -> None:
    done = gen("plugins", "show", "plain", "--plugin", sound)
    assert done.returncode == 0
    assert 'generator "plain"  sound.py' in done.stdout
    words = " ".join(done.stdout.split())
    assert "width an integer of at least 1 3 how wide it is." in words
    assert (
        '[generator] name = "plain" name_of_file = "a \\"quoted\\" name" width = 3 # factor = ... # a number' in words
    )


def test_what_a_registration_fixes_is_no_setting(gen: GenCommand, sound: Path) -> None:
    (shown,) = json.loads(gen("plugins", "show", "wide", "--plugin", sound, "--json").stdout)
    assert shown["preset"] == {"width": "7"}
    assert [entry["name"] for entry in shown["settings"]] == ["name_of_file", "factor"]
    assert "width" not in shown["snippet"]


def test_a_name_that_several_kinds_have_is_shown_for_each(gen: GenCommand) -> None:
    shown = json.loads(gen("plugins", "show", "l1", "--json").stdout)
    assert [entry["kind"] for entry in shown] == ["loss", "metric"]
    (metric,) = json.loads(gen("plugins", "show", "genlab:l1", "--kind", "metric", "--json").stdout)
    assert metric["snippet"] == "[evaluate.metrics.l1]"


def test_an_unknown_name_is_told_with_the_nearest(gen: GenCommand) -> None:
    for verb in ("show", "check"):
        done = gen("plugins", verb, "unett")
        assert done.returncode == 2
        assert "no plugin gives a component `unett`" in done.stderr
        assert "Did you mean `unet`?" in done.stderr


def every_component() -> list[tuple[str, str]]:
    components = Components(find_plugins())
    return [(kind, name) for kind in KINDS for name in components.names(kind)]


@pytest.mark.parametrize(("kind", "name"), every_component())
def test_a_snippet_says_what_the_component_takes(kind: str, name: str) -> None:
    """Pasted into a recipe it is TOML, and if nothing has to be given, it holds as it is."""
    components = Components(find_plugins())
    found = component_docs(components.get(kind, name))
    table = tomllib.loads(found.snippet)
    for key in KINDS[kind].table:
        table = table[key]
    if KINDS[kind].is_labeled:
        table = {"name": name, **table[name]}
    required = {entry.name for entry in found.settings if entry.default is None}
    assert required == {key for key, value in table.items() if value in ("...", [], {"name": "..."})}
    spec, faults = components.configure(kind, _without_framework_keys(kind, table), ())
    assert spec is not None or required, faults


def _without_framework_keys(kind: str, table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key == "name" or key not in KINDS[kind].reserved}


@pytest.mark.parametrize(
    ("name", "row", "line"),
    [
        ("adam", "clip a number above 0 inf The greatest L2 norm of all gradients", "clip = inf"),
        ("linear", "warmup a number of at least 0 and of at most 1 0.0 The share of the training", "warmup = 0.0"),
    ],
)
def test_what_the_framework_adds_to_a_kind_is_shown_with_the_settings(
    gen: GenCommand, tiny: Path, name: str, row: str, line: str
) -> None:
    kind = "optimizer" if name == "adam" else "schedule"
    (shown,) = json.loads(gen("plugins", "show", name, "--kind", kind, "--json").stdout)
    last = shown["settings"][-1]
    assert " ".join(str(last[key]) for key in ("name", "type", "default", "help")).startswith(row)
    assert shown["snippet"].endswith(f"\n{line}")
    assert gen("check", tiny, "--set", f"{kind}={{name='{name}', {line}}}").returncode == 0


def test_a_sound_file_passes_its_checks(gen: GenCommand, sound: Path) -> None:
    done = gen("plugins", "check", "--plugin", sound)
    assert done.returncode == 0, done.stdout
    assert 'generator "plain"  sound.py' in done.stdout
    assert 'generator "wide"  sound.py' in done.stdout
    assert done.stdout.endswith(f"\n{2 * len(checks_of(GeneratorSuite))} passed\n")


def test_what_does_not_hold_is_told(gen: GenCommand, bounded: Path) -> None:
    done = gen("plugins", "check", "plain", "--plugin", bounded, "--set", "width=1")
    assert done.returncode == 1
    assert "✗ its output has no bounds\n" in done.stdout
    assert "its output is between -1 and 1: leave the last activation" in done.stdout
    assert done.stdout.endswith(f"\n{len(checks_of(GeneratorSuite)) - 1} passed, 1 failed\n")
    assert done.stderr == ""


def test_checks_in_json(gen: GenCommand) -> None:
    (entry,) = json.loads(gen("plugins", "check", "adversarial", "--set", "objective=lsgan", "--json").stdout)
    assert (entry["kind"], entry["name"], entry["package"]) == ("loss", "adversarial", "genlab")
    assert {result["outcome"] for result in entry["results"]} == {"passed"}
    assert "it_is_a_mean" in {result["test"].removeprefix("test_") for result in entry["results"]}


def test_a_check_needs_something_to_check(gen: GenCommand) -> None:
    done = gen("plugins", "check")
    assert done.returncode == 2
    assert done.stderr == (
        "error: nothing to check\nGive a NAME from `gen plugins list`, or a file with --plugin FILE.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["label_recovery"], 'metric "label_recovery" needs `judge`: a path'),
        (["unet", "--set", "levls=3"], "has no setting `levls`"),
        (["unet", "--set", "levels=many"], '`levels`: expected an integer of at least 2 and of at most 16, got "many"'),
    ],
)
def test_settings_are_checked_before_anything_else(gen: GenCommand, arguments: list[str], said: str) -> None:
    done = gen("plugins", "check", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Set it with --set KEY=VALUE." in done.stderr


def test_a_new_package_is_written_and_never_over_another(gen: GenCommand, tmp_path: Path) -> None:
    done = gen("plugins", "new", "edge-aware", "--kind", "loss", "--out", "here")
    assert done.returncode == 0
    assert "Created here/genlab-edge-aware, with a working loss to edit." in done.stdout
    file = tmp_path / "here" / "genlab-edge-aware" / "README.md"
    file.write_text("precious")
    again = gen("plugins", "new", "edge-aware", "--kind", "loss", "--out", "here")
    assert again.returncode == 2
    assert "nothing was written" in again.stderr
    assert file.read_text() == "precious"


def test_kinds_are_those_of_the_registry(gen: GenCommand) -> None:
    done = gen("plugins", "new", "mine", "--kind", "painter")
    assert done.returncode == 2
    assert all(f"'{kind}'" in done.stderr for kind in KINDS)
