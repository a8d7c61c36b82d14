"""Damage to the files that a result depends on: it is refused, got around with a warning, or makes no difference.

The damage is one changed bit, a cut, an empty file, a file of another run or of another step, and values that are not
finite. Append-only logs and previews are not part of this.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tests.checkpoints import tensor_digests
from tests.core.ablation.conftest import ARMS
from tests.core.ablation.outputs import figures
from tests.core.ablation.test_ablate import here
from tests.core.test_bad_input import plugin
from tests.manifests import read_manifest

import genlab
from genlab import RunError
from genlab.ablation.ablate import Ablation
from genlab.ablation.folder import AblationFolder
from genlab.engine.checkpoint_state import newest_intact
from genlab.util.files import file_digest
from genlab.util.sealed import seal, unseal

TINY = Path(__file__).parents[1] / "assets" / "tiny.toml"
SHORT = ["train.steps=8", "evaluate.validations=1", "evaluate.previews=1", "ema.horizon=4", "listeners.mine={}"]
EARLIER, NEWEST = "checkpoints/00000003", "checkpoints/00000006"
IMAGE = np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)

PARTS = [
    *(f"{role}{kind}.safetensors" for role in ("generator", "discriminator") for kind in ("", ".optimizer")),
    "generator.ema.safetensors",
    "losses.safetensors",
    "method.safetensors",
    "state.json",
]
FILES = ["run.json", "recipe.toml", "plugins/mine.py", *(f"{NEWEST}/{part}" for part in PARTS)]

Damage = Callable[[Path, Path], None]


class Donors(NamedTuple):
    """Two runs of the same networks, and what they give undisturbed.

    Args:
        run: the run to be damaged, with checkpoints of two steps.
        other: the run that files are taken from.
        predictions: of the newer and the older checkpoint.
        weights: what the run has after one more step.
    """

    run: Path
    other: Path
    predictions: list[NDArray[np.generic]]
    weights: dict[str, str]


def trained(folder: Path, seed: int) -> Path:
    body = f"class Mine(genlab.Listener):\n    seed = {seed}"
    given = plugin(folder.parent, body, 'listener("mine", Mine)')
    genlab.train(TINY, overrides=[*SHORT, f"seed={seed}"], plugins=[given], out=folder, stop_at=3)
    genlab.resume(folder, stop_at=6)
    return folder


def weights_after(run: Path) -> dict[str, str]:
    return tensor_digests(genlab.resume(run, stop_at=7).path)


@pytest.fixture(scope="module")
def donors(tmp_path_factory: pytest.TempPathFactory) -> Donors:
    folder = tmp_path_factory.mktemp("donors")
    run, other = trained(folder / "run", 0), trained(folder / "other", 1)
    shutil.copytree(run, folder / "earlier")
    shutil.rmtree(folder / "earlier" / NEWEST)
    predictions = [genlab.open_run(path).predict(IMAGE, size="stored") for path in (run, folder / "earlier")]
    assert not np.array_equal(*predictions)
    shutil.copytree(run, folder / "undisturbed")
    return Donors(run, other, predictions, weights_after(folder / "undisturbed"))


def change_a_bit(file: Path, _donor: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    file.write_bytes(content)


def cut(file: Path, _donor: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 3 // 4])


def empty(file: Path, _donor: Path) -> None:
    file.write_bytes(b"")


def replace_by_another_runs(file: Path, donor: Path) -> None:
    shutil.copyfile(donor, file)


def replace_by_another_steps(file: Path, _donor: Path) -> None:
    shutil.copyfile(file.parents[1] / "00000003" / file.name, file)


def replace_by_another_roles(file: Path, _donor: Path) -> None:
    role, other = ("generator", "discriminator") if file.name.startswith("gen") else ("discriminator", "generator")
    shutil.copyfile(file.with_name(file.name.replace(role, other)), file)


def remove_tensors(file: Path, _donor: Path) -> None:
    save_file({}, file)


def make_infinite(file: Path, _donor: Path) -> None:
    """Behind a valid header."""
    if file.suffix == ".json":
        file.write_text(re.sub(r"(\d)(,?)\n", r"Infinity\2\n", file.read_text(), count=1))
        return
    tensors = load_file(file) or {"made up": torch.zeros(3)}
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    save_file({**tensors, name: torch.full_like(tensors[name], torch.inf)}, file)


DAMAGES: list[Damage] = [change_a_bit, cut, empty, replace_by_another_runs]
OF_PARTS: list[Damage] = [replace_by_another_steps, make_infinite]
CASES = [
    *((file, damage) for file in FILES for damage in DAMAGES),
    *((f"{NEWEST}/{part}", damage) for part in PARTS for damage in OF_PARTS),
    *((f"{NEWEST}/{part}", damage) for part in PARTS[:4] for damage in (replace_by_another_roles, remove_tensors)),
    ("run.json", make_infinite),
]


@pytest.fixture
def run(donors: Donors, tmp_path: Path) -> Path:
    return Path(shutil.copytree(donors.run, tmp_path / "copy"))


@pytest.mark.parametrize(("file", "damage"), CASES)
def test_nothing_is_silently_different(
    donors: Donors, run: Path, caplog: pytest.LogCaptureFixture, file: str, damage: Damage
) -> None:
    if not damaged(run / file, donors.other / file, damage):
        pytest.skip("this part is the same everywhere, as of a method that carries nothing")
    try:
        prediction = genlab.open_run(run).predict(IMAGE, size="stored")
    except RunError as error:
        assert_named(error, file, damage)
        return
    assert np.array_equal(prediction, donors.predictions[1 if caplog.records else 0])
    caplog.clear()
    opened = newest_intact(run / "checkpoints", read_manifest(run)["id"], optimizers=True)
    assert opened is not None
    assert opened.path == run / EARLIER
    (warning,) = caplog.records
    assert Path(file).name in warning.getMessage()
    assert "The checkpoint of step 3 is used" in warning.getMessage()


@pytest.mark.parametrize("file", FILES)
def test_a_resume_gives_the_same_or_is_refused(donors: Donors, run: Path, file: str) -> None:
    assert damaged(run / file, donors.other / file, change_a_bit)
    try:
        weights = weights_after(run)
    except RunError as error:
        assert_named(error, file, change_a_bit)
    else:
        assert weights == donors.weights


def damaged(file: Path, donor: Path, damage: Damage) -> bool:
    """Damage a file; False if its content is the same."""
    before = file.read_bytes()
    damage(file, donor)
    return file.read_bytes() != before


def assert_named(error: RunError, file: str, damage: Damage) -> None:
    """An error that names the file and a remedy; of two that do not belong together, it may name the other one."""
    exchanged = file == "run.json" and damage is replace_by_another_runs
    assert ("recipe.toml" if exchanged else Path(file).name) in str(error)
    assert error.hint


def test_a_checkpoint_of_another_run_is_not_used(donors: Donors, run: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(run / NEWEST)
    shutil.copytree(donors.other / NEWEST, run / NEWEST)
    assert weights_after(run) == donors.weights
    assert "the checkpoint is of another run" in caplog.text


def test_an_empty_folder_among_the_checkpoints_does_no_harm(donors: Donors, run: Path) -> None:
    (run / "checkpoints" / "99999999").mkdir()
    assert weights_after(run) == donors.weights


def test_a_finished_run_whose_last_checkpoint_is_damaged_is_finished_again(donors: Donors, run: Path) -> None:
    genlab.resume(run)
    whole = tensor_digests(run)
    (run / "checkpoints/00000008/generator.safetensors").write_bytes(b"")
    assert genlab.resume(run).manifest.status == "finished"
    assert tensor_digests(run) == whole
    with pytest.raises(RunError, match="the run has finished"):
        genlab.resume(run)


def test_a_change_that_a_damaged_checkpoint_had_is_recorded_where_it_holds(
    donors: Donors, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    genlab.resume(run, overrides=["optimizer.learning_rate=0.01"], stop_at=7)
    for later in ("00000006", "00000007"):
        if (run / "checkpoints" / later).is_dir():
            (run / "checkpoints" / later / "generator.safetensors").write_bytes(b"")
    shutil.copytree(donors.run / "checkpoints" / "00000003", run / "checkpoints" / "00000003", dirs_exist_ok=True)
    changes = genlab.resume(run).manifest.recipe_changes
    assert [(change.key, change.step) for change in changes] == [("optimizer.learning_rate", 3)]
    assert "holds from step 3 on" in caplog.text


@pytest.mark.parametrize("lost", ["state.json", "generator.safetensors", "method.safetensors"])
def test_a_checkpoint_that_lacks_a_file_is_passed_over(
    donors: Donors, run: Path, caplog: pytest.LogCaptureFixture, lost: str
) -> None:
    (run / NEWEST / lost).unlink()
    assert genlab.open_run(run).step == 3
    assert lost in caplog.text
    assert weights_after(run) == donors.weights


def test_a_damaged_checkpoint_is_kept_aside_and_the_run_goes_past_it(donors: Donors, run: Path) -> None:
    (run / NEWEST / "generator.safetensors").write_bytes(b"")
    genlab.resume(run)
    names = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert names == ["00000003", "00000006.damaged", "00000008"]
    assert genlab.open_run(run).step == 8


def test_where_all_checkpoints_are_damaged_the_newest_is_named(run: Path) -> None:
    for checkpoint in (EARLIER, NEWEST):
        (run / checkpoint / "generator.safetensors").unlink()
    for action in (genlab.resume, lambda path: genlab.open_run(path).generator):
        with pytest.raises(RunError, match=r"generator\.safetensors is missing") as caught:
            action(run)
        assert caught.value.where == str(run / NEWEST)


def reseal(checkpoint: Path, **changes: object) -> None:
    """Make a checkpoint's state agree with its files."""
    state = unseal((checkpoint / "state.json").read_bytes())
    state["parts"] = {name: file_digest(checkpoint / name) for name in state["parts"]}
    (checkpoint / "state.json").write_text(seal({**state, **changes}))


@pytest.mark.parametrize(("part", "value"), [(PARTS[0], torch.nan), (PARTS[1], torch.inf)])
def test_tensors_that_are_not_finite_are_refused_even_if_a_training_wrote_them(
    run: Path, part: str, value: float
) -> None:
    tensors = load_file(run / NEWEST / part)
    name = next(name for name, tensor in tensors.items() if tensor.dim())
    tensors[name].view(-1)[-1] = value
    save_file(tensors, run / NEWEST / part)
    reseal(run / NEWEST)
    with pytest.raises(RunError, match=rf"{re.escape(part)}: {re.escape(name)} is not finite"):
        genlab.resume(run)


def test_a_checkpoint_from_before_digests_is_used_with_a_note(
    donors: Donors, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for checkpoint in (EARLIER, NEWEST):
        state = unseal((run / checkpoint / "state.json").read_bytes())
        former = {name: state[name] for name in state if name not in ("run", "parts")}
        (run / checkpoint / "state.json").write_text(seal({**former, "format": 2}))
    assert np.array_equal(genlab.open_run(run).predict(IMAGE, size="stored"), donors.predictions[0])
    assert weights_after(run) == donors.weights
    (note,) = [record.getMessage() for record in caplog.records if "digests" in record.getMessage()]
    assert "damage to it cannot be noticed" in note


# Trials of an ablation


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> Ablation:
    """A finished ablation of two arms and one seed."""
    folder = tmp_path_factory.mktemp("arms")
    (folder / "arms.toml").write_text(ARMS.format(tiny=str(TINY)).replace("[0, 1]", "[0]"))
    made = Ablation(folder / "arms.toml", folder / "out", overrides=["train.steps=2"])
    made.run(1, False, lambda _: None, here)
    return made


@pytest.fixture
def ablation(arms: Ablation, tmp_path: Path) -> Ablation:
    """A copy whose files may be damaged."""
    made = copy(arms)
    made.folder = AblationFolder(Path(shutil.copytree(arms.folder.path, tmp_path / "out")))
    return made


OBSERVED = ["run.json", "history.json", "images.json", "pictures.npz"]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", OBSERVED)
def test_a_damaged_trial_is_not_mixed_in(ablation: Ablation, file: str, damage: Damage) -> None:
    trial, other = (ablation.folder.trial(arm, 0).path for arm in ("skips", "no-skips"))
    assert damaged(trial / file, other / file, damage)
    with pytest.raises(RunError) as caught:
        ablation.run(1, False, lambda _: None, here)
    exchanged = file == "run.json" and damage is replace_by_another_runs
    assert ("history.json" if exchanged else file) in str(caught.value)
    assert str(trial) in str(caught.value)
    assert caught.value.hint


def test_the_ablations_own_records_are_made_again(arms: Ablation, ablation: Ablation) -> None:
    out = ablation.folder.path
    for record in (*out.glob("report.*"), *out.glob("planned/*"), out / "recipe.toml"):
        record.write_bytes(b"")
    ablation.run(1, False, lambda _: None, here)
    assert figures(out) == figures(arms.folder.path)


# Cached pairs


def test_damaged_pairs_of_the_cache_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, donors: Donors
) -> None:
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    settings = [*SHORT[:-1], "train.steps=2"]
    runs = [genlab.train(TINY, overrides=settings, out=tmp_path / "first")]
    files = [*(tmp_path / "cache").glob("*/records"), *(tmp_path / "cache").glob("*/form.json")]
    assert len(files) == 6
    for file in files:
        change_a_bit(file, file)
    runs.append(genlab.train(TINY, overrides=settings, out=tmp_path / "second"))
    one, second = (tensor_digests(run.path) for run in runs)
    assert one == second
