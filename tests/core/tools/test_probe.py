"""`gen probe` on real runs."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.conftest import GenCommand

import genlab
from genlab.tools.probe.probe import probe_skips
from genlab.util.files import file_lock


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiny = Path(__file__).parents[2] / "assets" / "tiny.toml"
    folder = tmp_path_factory.mktemp("trained") / "run"
    genlab.train(tiny, overrides=["listeners.tensorboard={}"], out=folder)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_every_skip_is_replaced_in_every_way(run: Path):
    found = genlab.probe(run)
    assert [(e.level, e.replacement) for e in found.effects] == [
        (level, replacement) for level in (1, 2, 3) for replacement in ("cut", "shuffle", "average")
    ]
    assert found.pairs == 3
    assert all(effect.change.mean > 0 for effect in found.effects)
    assert {name.partition("/")[0] for name in found.gradient_norms} == {"generator", "discriminator"}
    assert found.gradient_norms.keys() == found.weight_norms.keys()
    assert all(norm > 0 for norm in found.gradient_norms.values())


def test_it_changes_nothing_of_the_run(run: Path):
    opened = genlab.open_run(run)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    before = opened.predict(image)
    state = {name: tensor.clone() for name, tensor in opened.generator.state_dict().items()}
    probe_skips(opened, 2, lambda _done, _of: None)
    np.testing.assert_array_equal(opened.predict(image), before)
    assert all(torch.equal(state[name], tensor) for name, tensor in opened.generator.state_dict().items())
    assert not any(module.training for module in opened.generator.modules())
    assert all(parameter.grad is None for parameter in opened.generator.parameters())


def test_twice_gives_the_same_figures(run: Path, gen: GenCommand):
    first, second = (json.loads(gen("probe", run, "--json").stdout) for _ in range(2))
    assert first == second == json.loads((run / "probe" / "probe.json").read_text())


def test_a_person_sees_tables_and_finds_a_plot_and_pictures(run: Path, gen: GenCommand):
    told = gen("probe", run, "--pairs", 2)
    assert told.returncode == 0, told.stderr
    assert "change of predictions from another image's features first: level " in told.stdout
    assert "Effect on 2 predictions" in told.stdout
    rows = [
        line.split()[:2]
        for line in told.stdout.splitlines()
        if line.split()[1:2] in (["cut"], ["shuffle"], ["average"])
    ]
    assert rows == [[str(level), how] for level in (1, 2, 3) for how in ("cut", "shuffle", "average")]
    assert "generator/encoder 1" in told.stdout
    drawing = ET.parse(run / "probe" / "skips.svg").getroot()
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"cut", "shuffle", "average", "level of the skip", "1", "2", "3"} <= set(texts)
    assert len(drawing.findall(".//{http://www.w3.org/2000/svg}polyline")) == 9
    with Image.open(run / "probe" / "cut.png") as sheet:
        assert sheet.width > 6 * 96, "condition, prediction, three levels, target"


def test_tensorboard_has_a_run_for_each_replacement_over_the_levels(run: Path):
    found = genlab.probe(run)
    for _ in range(2):  # a second probe takes the place of the first
        for replacement in ("cut", "shuffle", "average"):
            events = EventAccumulator(str(run / "probe" / "tensorboard" / replacement)).Reload()
            scalars = events.Scalars("skips by level/change of predictions")
            effects = [effect for effect in found.effects if effect.replacement == replacement]
            assert [(s.step, s.value) for s in scalars] == [(e.level, pytest.approx(e.change.mean)) for e in effects]
            assert events.Tags()["images"] == ["skips by level"]
        found = genlab.probe(run)


def test_what_cannot_be_probed(run: Path, tiny: Path, gen: GenCommand, tmp_path: Path):
    assert gen("run", tiny, "--set", "generator.skips=false", "--steps", 1, "--out", "severed").returncode == 0
    severed = gen("probe", "severed")
    assert (severed.returncode, "has no skip connections to probe" in severed.stderr) == (2, True)
    nothing = gen("probe", "nothing")
    assert (nothing.returncode, "there is no such folder" in nothing.stderr) == (2, True)
    assert gen("probe", run, "--pairs", 1).returncode == 2
    assert gen("run", tiny, "--set", "data.validation_count=1", "--steps", 1, "--out", "one").returncode == 0
    one = gen("probe", "one")
    assert (one.returncode, "at least two validation pairs" in one.stderr) == (2, True)
    for told in (severed, nothing, one):
        assert "Traceback" not in told.stderr


def test_a_method_that_calls_its_generator_several_times_cannot_be_probed(tiny: Path, tmp_path: Path):
    bridge = ["method={name='bridge', sampling_steps=3}", "generator.time=true", "losses.adversarial=false"]
    genlab.train(tiny, overrides=[*bridge, "train.steps=1"], out=tmp_path / "run")
    with pytest.raises(genlab.RunError, match='"bridge" calls its generator 3 times for a prediction'):
        genlab.probe(tmp_path / "run")


def test_data_that_are_gone_are_missed(tiny: Path, gen: GenCommand, make_pairs, tmp_path: Path):
    pairs = make_pairs()
    values = ("--set", "data.name=side_by_side", "--set", f"data.root={pairs}")
    assert gen("run", tiny, *values, "--steps", 1, "--out", "run").returncode == 0
    shutil.rmtree(pairs)
    gone = gen("probe", "run")
    assert (gone.returncode, "Traceback" in gone.stderr) == (2, False)
    assert str(pairs) in gone.stderr


def test_two_pairs_are_needed(run: Path):
    with pytest.raises(genlab.ArgumentError, match="at least 2"):
        genlab.probe(run, pairs=1)


def test_pairs_that_are_others_now_are_not_taken_for_the_runs(tiny: Path, gen: GenCommand, make_pairs):
    pairs = make_pairs()
    values = ("--set", "data.name=side_by_side", "--set", f"data.root={pairs}")
    assert gen("run", tiny, *values, "--steps", 1, "--out", "run").returncode == 0
    make_pairs(seed=1)
    told = gen("probe", "run")
    assert (told.returncode, "the validation data has changed since this run was trained" in told.stderr) == (2, True)


def test_a_judge_can_be_probed_too(judge: Path, tmp_path: Path):
    found = genlab.probe(shutil.copytree(judge, tmp_path / "judge"), pairs=2)
    assert [effect.level for effect in found.effects[::3]] == [1, 2, 3, 4]
    assert found.pictures.prediction.shape == (2, 32, 32, 3)
    assert all(0 < effect.change.mean < 1 for effect in found.effects), "of probabilities"


ODD = """
import torch
from torch import nn

import genlab


class Odd(genlab.Generator):
    def __init__(self, *, in_channels: int, out_channels: int, kind: str = "") -> None:
        super().__init__()
        self.kind = kind
        self.layer = nn.Conv2d(in_channels, out_channels, 1)
        self.carrier = nn.Identity()

    def forward(self, condition):
        carried = self.carrier([condition] if self.kind == "list" else condition)
        carried = carried[0] if self.kind == "list" else carried
        return torch.tanh(self.layer(carried))

    def skips(self):
        skip = genlab.Skip(1, self.carrier)
        return {
            "list": [skip],
            "none": None,
            "pair": [(1, self.carrier)],
            "zero": [genlab.Skip(0, self.carrier)],
            "letter": [genlab.Skip("a", self.carrier)],
            "twice": [skip, skip],
            "function": [genlab.Skip(1, len)],
        }[self.kind]


@genlab.hookimpl
def genlab_register(registry):
    registry.generator("odd", Odd)
"""


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("list", "carries list, and should carry floats, as one tensor"),
        ("none", "its skips() must return a list of genlab.Skip"),
        ("pair", "its skips() must return a list of genlab.Skip"),
        ("zero", "a skip has the level 0; they count from 1"),
        ("letter", "a skip has the level 'a'; they count from 1"),
        ("twice", "it has two skips at level 1"),
        ("function", "the skip at level 1 has no module but a builtin_function_or_method"),
    ],
)
def test_skips_of_a_plugin_that_are_not_what_they_should_be(tiny: Path, tmp_path: Path, kind: str, words: str):
    (tmp_path / "odd.py").write_text(ODD)
    values = ["generator.name=odd", f"generator.kind={kind}", "train.steps=1"]
    genlab.train(tiny, overrides=values, plugins=[tmp_path / "odd.py"], out=tmp_path / "run")
    with pytest.raises(genlab.PluginError) as caught:
        genlab.probe(tmp_path / "run")
    assert words in str(caught.value)
    assert not (tmp_path / "run" / "probe" / "probe.json").exists()


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(run: Path):
    (run / "probe").write_text("a file")
    told: list[int] = []
    with pytest.raises(genlab.StorageError):
        genlab.probe(run, on_progress=lambda done, _of: told.append(done))
    assert told == []


def test_two_at_once_do_not_write_over_each_other(run: Path):
    (run / "probe").mkdir()
    with file_lock(run / "probe" / ".lock", "x", patience=1.0), pytest.raises(genlab.RunError, match="is probing"):
        genlab.probe(run)
