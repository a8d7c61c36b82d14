"""Ways for a plugin to be broken: what its author is told, and that nobody else is disturbed.

All packages below are installed at once, and every command has them on its path.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import GenCommand
from tests.core.registry.broken import CASES, module_of, package_of, registering
from tests.core.registry.test_discovery import install


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages: all that are broken, and some that are odd."""
    site = tmp_path_factory.mktemp("site")
    for name, case in CASES.items():
        install(site, package_of(name), {module_of(name): case.module}, {module_of(name): module_of(name)})
    install(site, "genlab-talker", {"genlab_talker": f"print('hello')\n{registering('pass')}"}, {"t": "genlab_talker"})
    install(site, "genlab-lost", {}, {"lost": "no_such_module", "object": "genlab_talker:nothing", "odd": "no module!"})
    return site


@pytest.fixture(scope="module")
def slow_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another, with a package that takes more than a second to import."""
    site = tmp_path_factory.mktemp("slow")
    slow = "import time\ntime.sleep(1.1)\n" + registering("registry.generator('idle', 'x:Y')")
    install(site, "genlab-slow", {"genlab_slow": slow}, {"slow": "genlab_slow"})
    return site


@pytest.fixture
def call(gen: GenCommand, site: Path) -> GenCommand:
    """Run a command with all packages of the site installed."""
    return partial(gen, PYTHONPATH=str(site))


def test_there_are_enough_ways_to_be_broken() -> None:
    assert len(CASES) >= 15


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_that_needs_it_is_told_why(name: str, call: GenCommand, tiny: Path) -> None:
    case = CASES[name]
    done = call("run", tiny, "--steps", "1", *(word for value in case.needs for word in ("--set", value)))
    said = case.said.replace("{package}", package_of(name)).replace("{module}", module_of(name))
    assert re.search(said, done.stderr), done.stderr
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.fixture(scope="module")
def rows(forked_python: list[str], site: Path, slow_site: Path) -> list[dict[str, Any]]:
    """What `gen plugins list` says of all of them."""
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{slow_site}"}
    command = [*forked_python, "-m", "genlab", "plugins", "list", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr.replace("hello\n", "")) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_the_list_shows_what_shows_without_importing_classes(name: str, rows: list[dict[str, Any]]) -> None:
    mine = [row for row in rows if row["package"] == package_of(name)]
    assert len(mine) == 1
    assert (mine[0]["state"] == "ok") == (not CASES[name].listed)
    assert bool(mine[0]["why"]) == CASES[name].listed


def test_states_are_told_apart(rows: list[dict[str, Any]]) -> None:
    states = {row["package"]: row["state"] for row in rows}
    assert states["genlab-slow"] == "slow"
    assert states[package_of("has a name that another gives")] == "collides"
    assert states[package_of("has no hook")] == "failed"
    assert states["genlab-talker"] == "ok"
    assert states["genlab"] == "ok"
    whys = {row["name"]: row["why"] for row in rows}
    assert re.match(r"importing it takes 1\.\d s, more than 1, and every command waits for it\. ", whys["idle"])
    assert whys["lost"] == (
        "its entry point names the module `no_such_module`, which does not exist;"
        " fix [project.entry-points.genlab] in its pyproject.toml, and install it again"
    )
    assert whys["odd"] == "invalid entry point 'no module!'; expected a module"


@pytest.mark.cold
def test_a_package_whose_metadata_are_damaged_is_listed(tmp_path: Path, gen: GenCommand) -> None:
    """Even PyTorch cannot be imported then, so a list that names the package is worth having."""
    damaged = tmp_path / "genlab_damaged-1.2.dist-info"
    damaged.mkdir()
    (damaged / "entry_points.txt").write_text("[genlab]\nthis is no entry point\n")
    rows = json.loads(gen("plugins", "list", "--json", PYTHONPATH=str(tmp_path)).stdout)
    whys = {row["name"]: row["why"] for row in rows}
    assert whys["unknown"] == "the entry points of the package cannot be read; install it again"
    assert whys["unet"] is None


def test_whoever_does_not_need_them_does_not_notice(
    gen: GenCommand, tiny: Path, site: Path, slow_site: Path, tmp_path: Path
) -> None:
    for command in (["run", tiny, "--out", "run"], ["check", tiny], ["resume", "run"]):
        with_them = gen(*command, PYTHONPATH=f"{site}{os.pathsep}{slow_site}")
        if command[0] == "run":
            (tmp_path / "run").rename(tmp_path / "with them")
        without = gen(*command)
        assert with_them.returncode == without.returncode
        # What is available differs from moment to moment.
        shown = [re.sub(r"; .* are available", "", done.stdout) for done in (with_them, without)]
        assert shown[0] == shown[1]
        assert with_them.stderr.replace("hello\n", "") == without.stderr


def test_a_package_can_be_named(call: GenCommand, tiny: Path) -> None:
    """Of two that give one name, the recipe chooses; here both lack the class."""
    for name in map(package_of, ("has a name that another gives", "has that other's name")):
        told = call("check", tiny, "--set", f"generator.name={name}:shared").stderr
        assert f'generator "{name}:shared" of {name} 1.2 breaks the contract: x:Y cannot be' in told


def test_only_named_plugins_take_part(call: GenCommand, tiny: Path) -> None:
    named = "genlab, genlab_talker"
    rows = json.loads(call("plugins", "list", "--json", GENLAB_PLUGINS=named).stdout)
    assert {row["package"] for row in rows if row["state"] != "left out"} == {"genlab", "genlab-talker"}
    told = call("check", tiny, "--set", "generator.name=fine", GENLAB_PLUGINS=named).stderr
    left_out = "has no hook"
    assert f"GENLAB_PLUGINS leaves out `{module_of(left_out)}` of {package_of(left_out)} 1.2." in told
    assert call("check", tiny, GENLAB_PLUGINS=named).returncode == 0


def test_a_plugin_that_is_not_there_cannot_be_named(call: GenCommand, tiny: Path) -> None:
    done = call("check", tiny, GENLAB_PLUGINS="genlab-talkr")
    assert done.returncode == 2
    assert done.stderr.startswith("error: GENLAB_PLUGINS: no installed plugin is called 'genlab-talkr'; there are ")
    assert "Did you mean `genlab-talker`?" in done.stderr


def test_strictness_makes_every_failure_fatal(call: GenCommand, tiny: Path) -> None:
    strict = call("check", tiny, GENLAB_STRICT="1")
    assert strict.returncode == 2
    assert strict.stderr.replace("hello\n", "").startswith("error: GENLAB_STRICT is set: ")
    for name, case in CASES.items():
        assert (f"{package_of(name)} 1.2: " in strict.stderr) == case.listed
    # whoever looks for the cause must be able to see it
    assert call("plugins", "list", GENLAB_STRICT="1").returncode == 0
    assert call("check", tiny, GENLAB_STRICT="1", GENLAB_PLUGINS="genlab").returncode == 0
    assert call("check", tiny, GENLAB_STRICT="0").returncode == 0


def test_debug_shows_where_in_the_code_it_was(call: GenCommand, tiny: Path) -> None:
    done = call("--debug", "run", tiny, "--steps", "1", "--set", "generator={name='mismatched'}")
    assert "Traceback" in done.stderr
    assert "return self.layer(condition[:, :2])" in done.stderr


def _broken_by_us() -> Iterator[None]:
    raise RuntimeError("a defect")
    yield


def test_a_defect_of_genlabs_own_is_blamed_on_no_plugin() -> None:
    from genlab.registry.discovery.blame import blamed

    with pytest.raises(RuntimeError) as caught:
        next(_broken_by_us())
    assert blamed(caught.value) is None


ODD = """
import genlab

genlab_interface = "1.0"

class Plugin:
    genlab_interface = "1.0"
    {equality}

    @genlab.hookimpl
    def genlab_register(self, registry):
        registry.listener("{name}", "genlab_none:Nothing")

plugin = Plugin()
"""
EQUALITIES = {
    "unhashable": "__hash__ = None",
    "raising": "__eq__ = lambda self, other: 1 / 0",
    "agreeing": "__eq__ = lambda self, other: True; __hash__ = lambda self: 1",
}


def test_an_object_that_is_odd_to_compare_costs_no_other_plugin_anything(gen: GenCommand, tmp_path: Path) -> None:
    for name, equality in EQUALITIES.items():
        module = f"genlab_{name}"
        # Its entry point's name sorts before those of all others.
        source = ODD.format(equality=equality, name=name)
        install(tmp_path / "site", f"genlab-{name}", {module: source}, {f"A{name}": f"{module}:plugin"})
    done = gen("plugins", "list", "--json", PYTHONPATH=str(tmp_path / "site"))
    rows = json.loads(done.stdout)
    assert {row["name"]: row["why"] for row in rows if row["state"] != "ok"} == {}
    assert {row["name"] for row in rows} >= {*EQUALITIES, "unet", "patchgan", "l1", "tensorboard"}
