"""Trainings that start with the weights of another run or of a file, and leave some of them as they are."""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.checkpoints import tensor_digests
from tests.conftest import GenCommand, Once
from tests.core.runs.scripted import train_with_choices
from tests.manifests import edit_manifest, read_manifest
from torch import Tensor

import genlab
from genlab import CheckedRecipe, RecipeError, RunError, read_recipe
from genlab.assemble.read import with_overrides
from genlab.assemble.starting_weights import StoredWeights
from genlab.engine.checkpoint_files import checkpoints, network_file, path_of, state_file
from genlab.engine.checkpoint_state import read_progress
from genlab.runs.starting_weights import read_starting_weights
from genlab.util.files import file_digest

KEY = "init.generator.from"
CYCLE = ["method.name=cyclegan", "train.steps=2", "losses.cycle={name='l1', weight=10}", "losses.l1=false"]


@pytest.fixture
def source(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A finished run with pictures of its last predictions."""
    whole = once("source", lambda folder: genlab.train(tiny, overrides=["listeners.previews={}"], out=folder))
    return Path(shutil.copytree(whole, tmp_path / "source"))


def start(source: Path, *more: str) -> list[str]:
    """Overrides of a short training that starts with the generator of a run."""
    quick = [f"evaluate.{name}=1" for name in ("validations", "pairs", "previews", "preview_pairs")]
    return [f"{KEY}={source}", *quick, *more]


def last(run: Path) -> Path:
    return checkpoints(run / "checkpoints")[-1]


def weights(run: Path, role: str = "generator") -> dict[str, Tensor]:
    return load_file(network_file(last(run), role))


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    """The names of equal tensors."""
    assert one.keys() == other.keys()
    return {name for name, tensor in one.items() if tensor.equal(other[name])}


# What a network starts with


def test_the_first_pictures_are_the_last_ones_of_the_run_that_it_starts_with(
    tiny: Path, tmp_path: Path, source: Path
) -> None:
    more = ["listeners.previews={}", "seed=5", "train.steps=1", "evaluate.preview_pairs=2"]
    run = genlab.train(tiny, overrides=start(source, *more), out=tmp_path / "run").path
    first, final = ((folder / "previews" / f"{step:06d}.png") for folder, step in ((run, 0), (source, 8)))
    assert file_digest(first) == file_digest(final)
    assert read_manifest(run)["data"]["fingerprints"][KEY] == file_digest(network_file(last(source), "generator"))
    started = genlab.open_run(run).manifest.starts["generator"]
    assert set(started.matched) == set(weights(source))
    assert not any((started.widened, started.other_shapes, started.missing, started.unused))


def read(tiny: Path, *overrides: str) -> StoredWeights:
    checked = read_recipe(tiny, overrides=overrides)
    return read_starting_weights(checked.recipe, checked.document)["generator"]


def test_a_file_of_a_checkpoint_is_the_same_start(tiny: Path, source: Path) -> None:
    file = network_file(last(source), "generator")
    of_run, of_file = (read(tiny, *start(place)) for place in (source, file))
    assert of_run.fingerprint == of_file.fingerprint == file_digest(file)
    assert equal(dict(of_run.tensors), dict(of_file.tensors)) == of_file.tensors.keys()
    assert of_file.source == str(file)


@pytest.fixture
def several(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run with checkpoints of the steps 2 (the best), 7, and 8."""
    return Path(shutil.copytree(once("choices", partial(train_with_choices, tiny)) / "run", tmp_path / "several"))


@pytest.mark.parametrize(("choice", "step"), [("last", 8), ("best", 2), (7, 7), (None, 8)])
def test_a_start_with_a_checkpoint_of_a_run(tiny: Path, several: Path, choice: object, step: int) -> None:
    found = read(tiny, *start(several, *([f"init.generator.checkpoint={choice}"] if choice else [])))
    file = network_file(path_of(several / "checkpoints", step), "generator")
    assert equal(dict(found.tensors), load_file(file)) == found.tensors.keys()
    assert found.fingerprint == file_digest(file)
    assert f"step {step}," in found.source


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(tiny: Path, several: Path) -> None:
    with pytest.raises(RecipeError, match="there is no checkpoint of step 3") as caught:
        genlab.check(tiny, overrides=start(several, "init.generator.checkpoint=3"))
    (fault,) = caught.value.faults
    assert fault.path == ("init", "generator", "checkpoint")
    assert fault.hint == "Its checkpoints, by step: 8 (last), 7, 2 (best)."
    damaged = network_file(path_of(several / "checkpoints", 2), "generator")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(RecipeError, match=r"the checkpoint is damaged: generator\.safetensors") as caught:
        genlab.check(tiny, overrides=start(several, "init.generator.checkpoint=best"))
    assert 'checkpoint = "last"' in str(caught.value)


def test_what_does_not_match_is_drawn_and_listed(tiny: Path, tmp_path: Path, source: Path) -> None:
    file = tmp_path / "weights.safetensors"
    stored = weights(source)
    known = {name: tensor for name, tensor in stored.items() if name != "encoder.2.conv.weight"}
    save_file({**known, "head.weight": torch.zeros(3)}, file)
    given = start(file, "generator.skips=[2, 3]", "optimizer.learning_rate=1e-30", "train.steps=1")
    plain = genlab.train(tiny, overrides=given[1:], out=tmp_path / "plain").path
    run = genlab.train(tiny, overrides=given, out=tmp_path / "run").path
    drawn = {"encoder.2.conv.weight", "decoder.0.conv.weight"}
    expected = {**stored, **{name: weights(plain)[name] for name in drawn}}
    assert {name for name in stored if name.endswith("conv.weight")} <= equal(weights(run), expected)
    found = genlab.open_run(run).manifest.starts["generator"]
    assert found.other_shapes == ("decoder.0.conv.weight: 8 x 3 x 4 x 4 there, 4 x 3 x 4 x 4 here",)
    assert (found.missing, found.unused) == (("encoder.2.conv.weight",), ("head.weight",))
    fact = read_manifest(run)["facts"]["generator from"]
    assert f"{file}: " in fact
    assert all(name in fact for name in (*drawn, "head.weight"))
    (summary, _) = genlab.describe_networks(tiny, overrides=given)
    assert summary.start == found


def test_gen_show_has_the_table(tiny: Path, source: Path, gen: GenCommand) -> None:
    given = [*start(source), 'init.generator.freeze=["encoder 1"]', "generator.skips=[2, 3]"]
    shown = gen("show", tiny, *(word for assignment in given for word in ("--set", assignment)))
    assert shown.returncode == 0, shown.stderr
    for words in ("192 of them frozen", f"from {source}, step 8, generator", "another shape", "decoder.0.conv.weight"):
        assert words in " ".join(shown.stdout.split())
    assert shown.stdout.count("frozen") == 2, "in the line of the generator, and above its column alone"
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert [line[:2] for line in lines if line[-1:] == ["all"]] == [["encoder", "1"]]


def test_gen_show_counts_what_is_frozen_of_each_level(tiny: Path, gen: GenCommand) -> None:
    freezing = ("--set", "init.discriminator.freeze=true", "--set", "init.generator.freeze=['encoder 1', 'decoder 1']")
    generator, discriminator = json.loads(gen("show", tiny, *freezing, "--json").stdout)
    frozen = {row["name"]: row["frozen"] for row in generator["rows"] if row["frozen"]}
    assert frozen == {row["name"]: row["parameters"] for row in generator["rows"] if row["name"] in frozen}
    assert list(frozen) == ["encoder 1", "decoder 1"]
    assert all(row["frozen"] == row["parameters"] for row in discriminator["rows"])
    assert not any(
        row["frozen"] for network in json.loads(gen("show", tiny, "--json").stdout) for row in network["rows"]
    )
    assert "frozen" not in gen("show", tiny).stdout


def with_average(run: Path) -> dict[str, Tensor]:
    """Give a run's checkpoint an average of weights; returns it."""
    average = {name: tensor + 1 for name, tensor in weights(run).items()}
    file = last(run) / "generator.ema.safetensors"
    save_file(average, file)
    progress = read_progress(last(run))
    parts = {**progress.parts, file.name: file_digest(file)}
    state_file(last(run)).write_text(progress.model_copy(update={"parts": parts}).text())
    return average


def test_an_average_of_weights_is_taken_if_there_is_one(tiny: Path, source: Path) -> None:
    plain, average = weights(source), with_average(source)
    for chosen, expected in (("auto", average), ("ema", average), ("plain", plain)):
        found = read(tiny, *start(source, f"init.generator.weights={chosen}"))
        assert equal(dict(found.tensors), expected) == expected.keys()
        assert ("average of weights" in found.source) == (expected is average)


# Freezing


@pytest.mark.parametrize("batch_size", [1, 2])  # normalized by image, and by running statistics
def test_frozen_levels_stay_as_they_are_and_others_do_not(
    tiny: Path, tmp_path: Path, source: Path, batch_size: int
) -> None:
    freeze = 'init.generator.freeze=["encoder 2", "decoder 3"]'
    given = start(source, freeze, f"train.batch_size={batch_size}", "train.steps=3")
    run = genlab.train(tiny, overrides=given, out=tmp_path / "run").path
    frozen = {name for name in weights(run) if name.startswith(("encoder.1.", "decoder.2."))}
    assert any("running_var" in name for name in frozen)
    assert equal(weights(run), weights(source)) == frozen
    state = load_file(last(run) / "generator.optimizer.safetensors")
    assert state
    assert not any(name.partition("/")[2] in frozen for name in state)


def test_a_frozen_network_computes_in_training_as_in_predictions(tiny: Path, tmp_path: Path, source: Path) -> None:
    """The loss of the first step is that of the run's predictions: with statistics of the image, as it predicts."""
    levels = [f"{kind} {level}" for kind in ("encoder", "decoder") for level in (1, 2, 3, 4)]
    more = [f"init.generator.freeze={json.dumps(levels[:-1])}", "generator.dropout=0", "optimizer.learning_rate=1e-30"]
    losses = {}
    for name, given in {"frozen": start(source, *more), "free": start(source, *more[1:])}.items():
        run = genlab.train(tiny, overrides=[*given, "train.steps=1"], out=tmp_path / name).path
        rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
        losses[name] = next(row["losses"] for row in rows if "losses" in row)
    assert losses["frozen"] == losses["free"]


def test_a_network_that_starts_as_another_role_and_is_frozen_as_a_whole(
    tiny: Path, tmp_path: Path, source: Path
) -> None:
    """The generators of a cycle are updated at once, so one of them may stay as it is."""
    back = f'init.generator_back={{from="{source}", role="generator", freeze=true}}'
    run = genlab.train(tiny, overrides=[*start(source), *CYCLE, back], out=tmp_path / "run").path
    assert weights(run, "generator_back").keys() == equal(weights(run, "generator_back"), weights(source))
    assert "encoder.0.conv.weight" not in equal(weights(run), weights(source))
    assert not (last(run) / "generator_back.optimizer.safetensors").exists()


# Resumes


def test_a_resume_is_exact_without_what_the_run_started_with(tiny: Path, tmp_path: Path, source: Path) -> None:
    given = start(source, 'init.generator.freeze=["encoder 2"]', "train.steps=4")
    whole = genlab.train(tiny, overrides=given, out=tmp_path / "whole").path
    run = genlab.train(tiny, overrides=given, out=tmp_path / "run", stop_at=3).path
    known = read_manifest(run)
    shutil.rmtree(source)
    resumed = genlab.resume(run)
    assert tensor_digests(run) == tensor_digests(whole)
    assert read_manifest(run)["starts"] == known["starts"]
    assert read_manifest(run)["data"] == known["data"]
    assert resumed.method.networks["generator"] is not None


def test_another_start_is_told_where_a_run_goes_on_and_refused_where_it_begins(
    tiny: Path, tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = genlab.train(tiny, overrides=start(source, "train.steps=4"), out=tmp_path / "run", stop_at=2).path
    before = Path(shutil.copytree(run, tmp_path / "before"))
    shutil.rmtree(before / "checkpoints")
    edit_manifest(before, step=0)
    genlab.resume(source, overrides=["train.steps=9"])
    with caplog.at_level(logging.WARNING, "genlab"):
        assert genlab.resume(run).manifest.status == "finished"
    (told,) = [record.getMessage() for record in caplog.records if KEY in record.getMessage()]
    assert str(source) in told and "has changed since the run started" in told
    with pytest.raises(RunError, match=f"changed since the run started: {KEY}"):
        genlab.resume(before)
    shutil.rmtree(source)
    with pytest.raises(RecipeError, match="No such file"):
        genlab.resume(before)


def test_what_it_starts_with_is_fixed(tiny: Path, tmp_path: Path, source: Path) -> None:
    run = genlab.train(tiny, overrides=start(source), out=tmp_path / "run", stop_at=1).path
    for change in (
        f"{KEY}=elsewhere",
        'init.generator.freeze=["encoder 1"]',
        "init.generator=false",
        "init.generator.checkpoint=best",
    ):
        with pytest.raises(RunError, match="a resume cannot change"):
            genlab.resume(run, overrides=[change])


def test_a_trial_that_starts_with_other_weights_is_another_trial(tiny: Path, tmp_path: Path, source: Path) -> None:
    recipe = tmp_path / "arms.toml"
    arms = '[ablation]\nbaseline = "drawn"\n[ablation.arms.drawn]\n[ablation.arms.started.init.generator]\n'
    recipe.write_text(f'extends = "{tiny}"\n{arms}from = "{source}"\n')

    def identities() -> list[object]:
        return [settled.identity for settled in genlab.plan_ablation(recipe, out=tmp_path / "out").trials]

    drawn, started = identities()
    genlab.resume(source, overrides=["train.steps=9"])
    assert identities()[0] == drawn
    assert identities()[1] != started


# What cannot be used


def _nothing(path: Path) -> None:
    path.unlink()


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _long_header(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**40) + b"{}")


def _header(path: Path, **tensor: object) -> None:
    header = json.dumps({"encoder.0.conv.weight": {"dtype": "F32", "shape": [4], **tensor}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def _claims_more(path: Path) -> None:
    _header(path, shape=[2**40], data_offsets=[0, 2**42])


def _unknown_type(path: Path) -> None:
    _header(path, dtype="X9", data_offsets=[0, 16])


def _negative(path: Path) -> None:
    _header(path, shape=[-4], data_offsets=[16, 0])


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("pickled",)


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil()))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _not_finite(path: Path) -> None:
    stored = load_file(path)
    stored["encoder.0.conv.weight"][0, 0, 0, 0] = torch.nan
    save_file(stored, path)


def _other_network(path: Path) -> None:
    save_file({"layer.weight": torch.zeros(3)}, path)


def _buffers_alone(path: Path) -> None:
    save_file({name: tensor for name, tensor in load_file(path).items() if "running" in name}, path)


def _no_channels(path: Path) -> None:
    stored = load_file(path)
    save_file(stored | {"encoder.0.conv.weight": stored["encoder.0.conv.weight"][:, :0].clone()}, path)


def _of_integers(path: Path) -> None:
    save_file({name: tensor.int() for name, tensor in load_file(path).items()}, path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_nothing, "No such file"),
        (_truncated, "cannot be read"),
        (_empty, "cannot be read"),
        (_long_header, "the header"),
        (_claims_more, "cannot be read"),
        (_unknown_type, "cannot be read"),
        (_negative, "cannot be read"),
        (_pickled, "cannot be read"),
        (_pipe, "not a regular file"),
        (_folder, "not a run: run.json is missing"),
        (_circle, "Too many levels of symbolic links"),
        (_not_finite, "encoder.0.conv.weight is not finite"),
        (_other_network, 'no weight of .* has the name and the shape of one of generator "unet" as generator'),
        (_buffers_alone, "no weight of"),
        (_of_integers, "no weight of"),
        (_no_channels, "encoder.0.conv.weight has no values .* x 0 x"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tiny: Path,
    tmp_path: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Path], None],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "weights.safetensors"
    shutil.copyfile(network_file(last(source), "generator"), file)
    harm(file)
    with pytest.raises(RecipeError, match=words) as caught:
        genlab.train(tiny, overrides=start(file), out=tmp_path / "run")
    (fault,) = caught.value.faults
    assert fault.path == ("init", "generator", "from")
    assert file.name in fault.what
    assert len(str(caught.value)) < 1000
    assert not (tmp_path / "run").exists()
    assert not Path("pickled").exists()


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        ({"role": "generatr"}, "role", "has no network `generatr`; it has discriminator, generator"),
        ({"role": "discriminator"}, "from", "no weight of"),
        ({"weights": "ema"}, "weights", "has no average of the weights of its generator"),
        ({"freeze": ["encoder 9"]}, "freeze", 'generator "unet" has no level `encoder 9`'),
        ({"freeze": True}, "freeze", 'so the phase generator of method "pix2pix" has nothing to update'),
        ({"freeze": ["encoder 1", "encoder 1"]}, "freeze", "`encoder 1` is named twice"),
        ({"role": 3}, "role", r"expected text \(not empty\), got 3"),
        ({"role": ""}, "role", r"expected text \(not empty\), got \"\""),
        ({"checkpoint": "best"}, "checkpoint", "the run has no best checkpoint"),
        ({"checkpoint": "bset"}, "checkpoint", 'expected "last" or "best", or an integer of at least 0, got "bset"'),
        ({"checkpoint": True}, "checkpoint", "or an integer of at least 0, got true"),
        ({"form": "x"}, "form", "has no setting `form`"),
    ],
    ids=str,
)
def test_what_does_not_go_with_a_run_is_at_its_key(
    tiny: Path, source: Path, given: dict[str, object], key: str, words: str
) -> None:
    table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in {"from": str(source), **given}.items())
    with pytest.raises(RecipeError, match=words) as caught:
        genlab.check(tiny, overrides=[f"init.generator={{{table}}}"])
    assert {fault.path[:3] for fault in caught.value.faults} == {("init", "generator", key)}


def test_what_is_said_of_a_run_is_refused_of_a_file(tiny: Path, source: Path) -> None:
    file = network_file(last(source), "generator")
    for more in ('init.generator.role="generator"', "init.generator.weights=plain", "init.generator.checkpoint=8"):
        with pytest.raises(RecipeError, match="is of a run"):
            genlab.check(tiny, overrides=start(file, more))
        with pytest.raises(RecipeError, match="needs `from`"):
            genlab.check(tiny, overrides=[more])


def test_a_run_without_weights_and_a_damaged_one_are_named(tiny: Path, source: Path) -> None:
    file = network_file(last(source), "generator")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(RecipeError, match=r"the checkpoint is damaged: generator\.safetensors"):
        genlab.check(tiny, overrides=start(source))
    shutil.rmtree(source / "checkpoints")
    with pytest.raises(RecipeError, match="the run has no checkpoint yet"):
        genlab.check(tiny, overrides=start(source))


@pytest.mark.parametrize("name", ["a\\u0000b", "x" * 300, "a/" * 3000])
def test_a_path_that_there_cannot_be_is_named(tiny: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        genlab.check(tiny, overrides=[f'{KEY}="{name}"'])


@pytest.fixture
def checked(tiny: Path) -> CheckedRecipe:
    """The tiny recipe; its plugins are found by whoever may read where they are installed."""
    return read_recipe(tiny)


def test_a_folder_that_cannot_be_entered_is_named(checked: CheckedRecipe, locked: Path) -> None:
    for place in (locked, locked / "weights.safetensors"):
        started = with_overrides(checked, start(place))
        with pytest.raises(RecipeError, match="Permission denied"):
            read_starting_weights(started.recipe, started.document)


def test_the_command_shows_the_line_and_no_traceback(tiny: Path, tmp_path: Path, gen: GenCommand) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'extends = "{tiny}"\n[init.generator]\nfrom = "runs/first"\n')
    done = gen("run", recipe)
    assert done.returncode == 2
    assert "mine.toml:3:8: error:" in done.stderr
    assert "runs/first cannot be read: No such file or directory" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
