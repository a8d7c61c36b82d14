"""Mutated recipes and overrides: each is valid or refused with a short message, soon and in little memory.

200 cases, or as many as the environment variable GENLAB_FUZZ says, which are other ones each time.
"""

from __future__ import annotations

import datetime
import os
import resource
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.strategies import DrawFn

from genlab import GenlabError
from genlab.ablation.plan import make_plan
from genlab.assemble.experiment import construct
from genlab.assemble.networks import construct_networks, outlined
from genlab.assemble.resolve import resolve
from genlab.config.builtin import shipped_folder
from genlab.config.load import load_recipe
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins

LONGEST = 70_000
"""Letters of a message: twenty faults, each of a few lines of at most a thousand."""
SECONDS = 20
GROWTH = 3 * 2**20
"""Kilobytes."""

CASES = int(os.environ.get("GENLAB_FUZZ", "200"))
RECIPES = [tomllib.loads(path.read_text()) for path in sorted(shipped_folder().glob("*.toml"))]


def deep(depth: int) -> Any:
    return {"a": deep(depth - 1)} if depth else 1


NUMBERS = [-1, 0, 1, 2, 3, 7, 10**6, 10**12, 2**62, -(2**63), 2**63, 10**30, 1e308, -0.0, 1e-320]
NUMBERS += [float("nan"), float("inf"), float("-inf"), 0.5]
TEXTS = ["", " ", "x:1:y", "a\nb", "\x1b[31m", "\x7f", "\u202e", "\U0001f600", "\u0661", "a\0b", "../..", "~nobody/x"]
TEXTS += ["/dev/zero", "x" * 300, "x" * 20_000, "unet", "l1", "batch", "auto", "none", "\ufeff"]
TIMES = [datetime.date(2020, 1, 1), datetime.time(7, 32), datetime.datetime(2020, 1, 1, 7, 32)]
OTHERS: list[Any] = [True, False, [], {}, [[]], [{}], {"name": "unet"}, {"": 1}, deep(20), deep(90), [1] * 2000]
VALUES = st.sampled_from([*NUMBERS, *TEXTS, *TIMES, *OTHERS]) | st.text(max_size=20) | st.integers() | st.floats()
KEYS = st.sampled_from(["name", "weight", "x", "", "a.b", "a/b", "\x1b", "extends", "seed", "ablation", "k" * 5000])


def tables(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield value
    for inner in value.values():
        if isinstance(inner, dict):
            yield from tables(inner)


def copied(value: Any) -> Any:
    return {key: copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value


@st.composite
def recipes(draw: DrawFn) -> str:
    """The text of a recipe of which tables, and then letters, are changed."""
    values = copied(draw(st.sampled_from(RECIPES)))
    for _ in range(draw(st.integers(0, 3))):
        table = draw(st.sampled_from(list(tables(values))))
        key = draw(st.sampled_from(sorted(table)) | KEYS) if table else draw(KEYS)
        change = draw(st.sampled_from(["set", "drop", "rename", "twice"]))
        if change == "set" or key not in table:
            table[key] = copied(draw(VALUES))  # what a later change may change in place
        elif change == "drop":
            del table[key]
        elif change == "rename":
            table[draw(KEYS)] = table.pop(key)
        else:
            table[draw(KEYS)] = copied(table[key])
    text = tomli_w.dumps(values)
    if draw(st.integers(0, 3)) == 0:
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 40))
        inserted = draw(st.sampled_from(["", "[", "]", '"', "=", "\n", "\r", ".", "#", text[at : at + 200]]))
        text = text[:at] + inserted + text[at + length :]
    return text


PATHS = [
    "title",
    "seed",
    "data.count",
    "data.root",
    "data.name",
    "input.size",
    "input.range_a",
    "generator.channels",
    "generator.levels",
    "generator.skips",
    "discriminator.receptive_field",
    "losses.l1",
    "losses.l1.weight",
    "optimizer.betas",
    "train.steps",
    "train.threads",
    "evaluate.metrics",
    "evaluate.metrics.l1",
    "listeners",
    "ablation.seeds",
    "ablation.stop",
    "ablation.max_seeds",
    "ablation.arms",
    "ablation.arms.x",
    "ablation.axes.a.b",
    "ablation.baseline",
    ".".join("a" * 300),
    ".".join("a" * 30_000),
    "k" * 50_000,
    "",
    "a b",
    '"x.y"',
    "[a]",
    "a\nb",
]


WORDS = ["x:1:y", "[" * 3000, "9" * 5000, "{a=" * 3000, "x" * 100_000, "1\nb=2", "07:32:00", "[2020-01-01]", "\ud800"]


@st.composite
def overrides(draw: DrawFn) -> str:
    """A text of `--set`."""
    key = draw(st.sampled_from(PATHS) | st.text(max_size=8))
    value = draw(VALUES)
    table = isinstance(value, dict)
    written = '{name="unet"}' if table else tomli_w.dumps({"a": value}).removeprefix("a = ").strip()
    return f"{key}={draw(st.sampled_from(WORDS) | st.just(written))}"


def check(recipe: Path, assignments: list[str], components: Components) -> None:
    """Check a recipe as `genlab.check` does, with components that are the same for all cases."""
    document = load_recipe(recipe, assignments)
    checked = resolve(document, components)
    construct(checked, document)
    outlined(lambda: construct_networks(checked, (3, 3), document))
    if "ablation" in document.values:
        make_plan(document, components)


@pytest.fixture(scope="module")
def components() -> Components:
    return Components(find_plugins([]))


@given(text=recipes(), assignments=st.lists(overrides(), max_size=2))
@settings(
    max_examples=CASES,
    derandomize="GENLAB_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_recipe_is_valid_or_refused(components: Components, text: str, assignments: list[str]) -> None:
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = ""
    with TemporaryDirectory() as folder:
        path = Path(folder, "recipe.toml")
        path.write_text(text, encoding="utf-8", newline="")
        try:
            check(path, assignments, components)
        except GenlabError as error:
            message = str(error)
    assert len(message) <= LONGEST
    assert time.monotonic() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH
