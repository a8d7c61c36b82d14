import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tests.core.toys import CPU, ToyDiscriminator, ToyGenerator, ToyMethod, batch, networks
from tests.optimizers import adam
from torch import Tensor

from genlab import Loss, Method, Network, RunError, StorageError, Term, Weight, WeightedLoss
from genlab.engine import checkpoint as module
from genlab.engine.checkpoint import load_method, save
from genlab.engine.checkpoint_files import checkpoints
from genlab.engine.checkpoint_state import TrainProgress, open_checkpoint
from genlab.engine.seeding import seed_random_numbers
from genlab.engine.step import train_step
from genlab.engine.train_state import TrainState
from genlab.util.sealed import seal, unseal

PARTS = [
    "discriminator.optimizer.safetensors",
    "discriminator.safetensors",
    "generator.optimizer.safetensors",
    "generator.safetensors",
    "losses.safetensors",
    "method.safetensors",
    "state.json",
]
QUANTITIES = ("/exp_avg", "/exp_avg_sq", "/step")


class Adapting(Loss):
    """Weighs errors by a running mean of them, and has a fixed weight that nobody trains."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.register_buffer("mean", torch.ones(()))

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        error = (prediction - target).abs().mean()
        self.mean.lerp_(error.detach(), 0.5)
        return error / self.mean


class Remembering(ToyMethod):
    """Carries the last prediction from step to step, and stays near it."""

    last: Tensor | None = None

    def painter_terms(self, batch, shared):
        terms = super().painter_terms(batch, shared)
        adapting = self.losses["adapting"].loss
        terms["adapting"] = Term(adapting(*batch.sides, shared["prediction"]), 1.0)
        if self.last is not None:
            terms["calm"] = Term((shared["prediction"] - self.last).abs().mean(), 1.0)
        self.last = shared["prediction"].detach().clone()
        return terms

    def state(self):
        return {} if self.last is None else {"last": self.last}

    def load_state(self, state):
        self.last = state.get("last")


def train_state(seed: int = 0, **other: Network) -> TrainState:
    made = {**networks(seed), **other}
    method = Remembering(made, {"adapting": WeightedLoss(Adapting(), Weight(1.0))})
    return TrainState(method, adam(made, learning_rate=0.01))


def train(trained: TrainState, steps: int, first: int = 0) -> TrainState:
    for number in range(first, first + steps):
        seed_random_numbers(number, CPU)
        train_step(trained.method, [batch(seed=number)], trained.optimizers, with_norms=False)
    return trained


def restore(path: Path, into: TrainState) -> TrainProgress:
    """Restore a checkpoint that is intact; returns its progress, without digests."""
    progress = module.restore(open_checkpoint(path, run="", optimizers=True), into)
    return progress.model_copy(update={"parts": {}})


def load(path: Path, method: Method) -> None:
    load_method(open_checkpoint(path, run="", optimizers=False), method)


def at(step: int, validated: bool = True) -> TrainProgress:
    return TrainProgress(step=step, validated=validated, metrics={"validation/l1": 0.25})


def everything(trained: TrainState) -> dict[str, torch.Tensor]:
    """All that training changes, by name."""
    method = trained.method
    found = {f"method/{name}": value.clone() for name, value in method.state().items()}
    for label, (loss, _) in method.losses.items():
        found |= {f"{label}/{name}": value.clone() for name, value in loss.named_buffers()}
    for role, network in method.networks.items():
        found |= {f"{role}/{name}": value.clone() for name, value in network.state_dict().items()}
        for place, quantities in trained.optimizers[role].state_dict()["state"].items():
            found |= {f"{role}/{place}/{name}": value.clone() for name, value in quantities.items()}
    return found


def assert_same(ones: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> None:
    assert set(ones) == set(others)
    for name, one in ones.items():
        assert one.dtype == others[name].dtype, name
        assert torch.equal(one, others[name]), name


def test_everything_comes_back_to_the_last_bit(tmp_path):
    trained = train(train_state(), 3)
    path = save(tmp_path, at(3), trained, keep=1)
    before = everything(trained)
    assert {"generator/norm.running_var", "generator/norm.num_batches_tracked", "generator/0/exp_avg_sq"} < set(before)
    assert {"method/last", "adapting/mean"} < set(before)
    fresh = train(train_state(seed=5), 1, first=9)
    assert restore(path, fresh) == at(3)
    assert_same(everything(fresh), before)


def test_training_goes_on_from_it_exactly(tmp_path):
    trained = train(train_state(), 3)
    path = save(tmp_path, at(3), trained, keep=1)
    expected = everything(train(trained, 4, first=3))
    fresh = train_state(seed=5)
    restore(path, fresh)
    assert_same(everything(train(fresh, 4, first=3)), expected)


def test_saving_changes_nothing(tmp_path):
    trained = train(train_state(), 2)
    before = everything(trained)
    save(tmp_path, at(2), trained, keep=1)
    assert_same(everything(trained), before)


def test_its_parts_are_plain_files_by_name(tmp_path):
    path = save(tmp_path / "checkpoints", at(3), train(train_state(), 3), keep=1)
    assert path == tmp_path / "checkpoints" / "00000003"
    assert sorted(part.name for part in path.iterdir()) == PARTS
    assert sorted(load_file(path / "generator.optimizer.safetensors"))[:2] == [
        "exp_avg/inner.bias",
        "exp_avg/inner.weight",
    ]
    state = unseal((path / "state.json").read_bytes())
    assert sorted(state.pop("parts")) == PARTS[:-1]
    assert {**state, "parts": {}} == at(3).model_dump()
    assert list(load_file(path / "losses.safetensors")) == ["adapting/mean"], "nothing trains a loss's parameters"


def test_a_step_that_was_saved_already_is_left_as_it_is_but_for_what_was_observed_since(tmp_path):
    trained = train(train_state(), 3)
    path = save(tmp_path, at(3, validated=False), trained, keep=1)
    before = {part: (path / part).stat().st_ino for part in PARTS}
    assert restore(path, train_state()) == at(3, validated=False)
    assert save(tmp_path, at(3), trained, keep=1) == path
    assert restore(path, train_state()) == at(3)
    assert [part for part in PARTS if (path / part).stat().st_ino != before[part]] == ["state.json"]


def test_an_old_checkpoint_that_cannot_be_removed_whole_is_no_checkpoint_any_more(tmp_path, monkeypatch):
    save(tmp_path, at(1), train_state(), keep=1)
    monkeypatch.setattr(module.shutil, "rmtree", lambda *_arguments, **_more: None)
    second = save(tmp_path, at(2), train_state(), keep=1)
    assert checkpoints(tmp_path) == [second]
    monkeypatch.undo()
    save(tmp_path, at(3), train_state(), keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["00000003"]


def test_what_a_killed_process_left_goes_with_the_next_save_of_the_same_step(tmp_path):
    for step in (1, 2):
        left = save(tmp_path, at(step), train_state(), keep=9)
    (left / ".state.json.7-7.partial").touch()
    last = save(tmp_path, at(2), train_state(), keep=1)
    assert list(tmp_path.iterdir()) == [last]
    assert sorted(part.name for part in last.iterdir()) == PARTS


@pytest.mark.parametrize("mask", [0o077, 0o027, 0o002])
def test_its_files_follow_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        path = save(tmp_path / "checkpoints", at(1), train_state(), keep=1)
    finally:
        os.umask(before)
    assert {part.stat().st_mode & 0o777 for part in path.iterdir()} == {0o666 & ~mask}
    assert {folder.stat().st_mode & 0o777 for folder in (path, path.parent)} == {0o777 & ~mask}


def test_an_empty_folder_in_its_place_is_no_checkpoint(tmp_path):
    (tmp_path / "00000002").mkdir()
    path = save(tmp_path, at(2), train(train_state(), 2), keep=1)
    assert sorted(part.name for part in path.iterdir()) == PARTS


def test_a_checkpoint_from_before_the_first_step(tmp_path):
    trained = train_state()
    path = save(tmp_path, at(0), trained, keep=1)
    fresh = train_state(seed=5)
    assert restore(path, fresh) == at(0)
    assert_same(everything(fresh), everything(trained))


def test_nothing_of_it_stays_mapped_when_it_was_restored(tmp_path):
    """A mapped file can be neither renamed nor removed on Windows."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not tell what is mapped")
    path = save(tmp_path, at(2), train(train_state(), 2), keep=1)
    fresh = train_state()
    restore(path, fresh)
    assert str(path) not in maps.read_text()
    assert everything(fresh)


def test_what_a_method_carries_comes_back_to_where_its_networks_are(tmp_path):
    path = save(tmp_path, at(2), train(train_state(), 2), keep=1)
    fresh = train_state()
    for network in fresh.method.networks.values():
        network.to("meta")
    fresh.method.networks["generator"].load_state_dict = lambda *_: None
    fresh.method.networks["discriminator"].load_state_dict = lambda *_: None
    load(path, fresh.method)
    assert fresh.method.last.device.type == "meta"


@pytest.mark.parametrize(("keep", "kept"), [(1, [12]), (2, [9, 12]), (9, [1, 5, 9, 12])])
def test_the_last_few_are_kept(tmp_path, keep, kept):
    trained = train_state()
    for step in (1, 5, 9, 12):
        save(tmp_path, at(step), trained, keep)
    assert [int(path.name) for path in checkpoints(tmp_path)] == kept


def test_what_was_torn_off_is_ignored_and_cleared_away(tmp_path):
    first = save(tmp_path, at(1), train_state(), keep=1)
    for name in (".00000002.partial", ".00000009.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "generator.safetensors").write_bytes(b"half")
    assert checkpoints(tmp_path) == [first]
    second = save(tmp_path, at(2), train_state(), keep=1)
    assert list(tmp_path.iterdir()) == [second]
    assert restore(second, train_state()) == at(2)


class Tied(ToyDiscriminator):
    """Uses one tensor in two places, and has a view of it as a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.again = self.layer
        self.register_buffer("part", self.layer.weight.detach()[:, :2])


def test_a_network_may_use_a_tensor_twice(tmp_path):
    trained = train(train_state(discriminator=Tied()), 2)
    path = save(tmp_path, at(2), trained, keep=1)
    fresh = train_state(seed=5, discriminator=Tied())
    restore(path, fresh)
    assert_same(everything(fresh), everything(trained))


class Masked(ToyDiscriminator):
    """Has a constant that is infinite, as masks of attention are, and a statistic."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
        self.register_buffer("mean", torch.zeros(2))


def test_a_constant_may_be_infinite_and_a_statistic_may_not(tmp_path):
    path = save(tmp_path, at(0), train_state(discriminator=Masked()), keep=1)
    restore(path, train_state(discriminator=Masked()))
    diverged = Masked()
    diverged.mean.fill_(torch.inf)
    path = save(tmp_path, at(1), train_state(discriminator=diverged), keep=1)
    with pytest.raises(RunError, match=r"discriminator\.safetensors: mean is not finite"):
        restore(path, train_state(discriminator=Masked()))


def test_weights_in_another_memory_layout_come_back(tmp_path):
    last = ToyGenerator().to(memory_format=torch.channels_last)
    trained = train(train_state(generator=last), 2)
    path = save(tmp_path, at(2), trained, keep=1)
    fresh = train_state(generator=ToyGenerator().to(memory_format=torch.channels_last))
    restore(path, fresh)
    assert_same(everything(fresh), everything(trained))
    expected = everything(train(trained, 2))
    assert_same(everything(train(fresh, 2)), expected)
    assert fresh.method.networks["generator"].inner.weight.is_contiguous(memory_format=torch.channels_last)


def test_what_a_method_predicts_with_alone(tmp_path):
    trained = train(train_state(), 2)
    path = save(tmp_path, at(2), trained, keep=1)
    fresh = train_state(seed=5)
    load(path, fresh.method)
    expected = everything(trained)
    assert_same(everything(fresh), {name: expected[name] for name in expected if not name.endswith(QUANTITIES)})


# A disk that is full


def assert_earlier_is_whole(folder: Path, first: Path, before: dict[str, torch.Tensor]) -> None:
    assert list(folder.iterdir()) == checkpoints(folder) == [first]
    fresh = train_state(seed=5)
    assert restore(first, fresh) == at(1)
    assert_same(everything(fresh), before)


def failing(folder: Path, fail: Callable[[], None], mend: Callable[[], None] = lambda: None) -> StorageError:
    """Save once, let `fail` see to it that it cannot be done again, and try."""
    trained = train(train_state(), 1)
    before, first = everything(trained), save(folder, at(1), trained, keep=1)
    train(trained, 1)
    fail()
    with pytest.raises(StorageError, match="cannot be written") as caught:
        save(folder, at(2), trained, keep=1)
    mend()
    assert_earlier_is_whole(folder, first, before)
    assert caught.value.where == str(folder / "00000002")
    return caught.value


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["mkdir", "write_text", "open", "rename"])
def test_a_full_disk_is_told_and_harms_no_earlier_checkpoint(tmp_path, number, call):
    def no_room(*_arguments, **_more):
        raise OSError(number, "no room")

    with pytest.MonkeyPatch.context() as patch:
        error = failing(tmp_path, lambda: patch.setattr(module.Path, call, no_room), patch.undo)
    assert "the disk is full" in error.what
    assert "Free some space, and try again; a training resumes" in error.hint


@pytest.mark.parametrize("part", [part for part in PARTS if part.endswith(".safetensors")])
def test_a_disk_that_is_full_at_any_part(tmp_path, monkeypatch, part):
    def no_room(tensors, path):
        if path.name == part:
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        save_file(tensors, path)

    error = failing(tmp_path, lambda: monkeypatch.setattr(module, "save_file", no_room))
    assert "the disk is full" in error.what


def test_a_disk_that_is_really_full(small_disk):
    folder, filler = small_disk / "checkpoints", small_disk / "filler"

    def fill() -> None:
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with filler.open("r+b") as file:
            file.truncate(filler.stat().st_size - 8192)

    error = failing(folder, fill)
    assert "the disk is full" in error.what


def test_a_file_that_may_not_grow_so_large(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        error = failing(tmp_path, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in error.what


@pytest.mark.parametrize("call", ["mkdir", "write_text", "rename"])
def test_the_only_checkpoint_survives_a_process_that_is_cut_off_when_it_saves_the_same_step(tmp_path, call):
    """As when a run is resumed and stopped before its first step."""
    trained = train(train_state(), 1)
    first, before = save(tmp_path, at(1), trained, keep=1), everything(trained)

    def cut_off(*_arguments, **_more):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(module.Path, call, cut_off)
        save(tmp_path, at(1), trained, keep=1)
    assert_earlier_is_whole(tmp_path, first, before)


# A checkpoint that is damaged


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(tmp_path, at(2), train(train_state(), 2), keep=1)


def assert_refused(path: Path, into: TrainState | None = None) -> RunError:
    with pytest.raises(RunError, match=r"the checkpoint (cannot be|is damaged|does not fit)") as caught:
        restore(path, into or train_state())
    assert caught.value.where == str(path)
    assert "earlier checkpoint" in caught.value.hint or "recipe.toml" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_missing(saved, part):
    (saved / part).unlink()
    assert_refused(saved)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("share", [0, 0.05, 0.5, 0.99])
def test_a_part_that_is_cut_short(saved, part, share):
    content = (saved / part).read_bytes()
    (saved / part).write_bytes(content[: int(len(content) * share)])
    assert_refused(saved)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("content", [b"\xff" * 64, b"[]", b"{}", b"null"])
def test_a_part_that_is_something_else(saved, part, content):
    (saved / part).write_bytes(content)
    assert_refused(saved)


@pytest.mark.parametrize("part", [part for part in PARTS if part not in ("state.json", "method.safetensors")])
def test_a_part_with_other_tensors(saved, part):
    save_file({"other": torch.zeros(3)}, saved / part)
    assert_refused(saved)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (ToyGenerator(channels=5), "size mismatch for inner.weight"),
        (ToyDiscriminator(), "Missing key"),
    ],
)
def test_another_network_is_refused_with_the_reason(saved, other, message):
    assert message in assert_refused(saved, train_state(generator=other)).what
    with pytest.raises(RunError, match=message) as caught:
        load(saved, train_state(generator=other).method)
    assert "\n" not in caught.value.what
    assert len(caught.value.what) < 400


def test_a_network_that_was_not_there_before(saved):
    assert_refused(saved, train_state(critic=ToyDiscriminator()))


def test_a_later_format_is_not_guessed_at(saved):
    state = unseal((saved / "state.json").read_bytes())
    (saved / "state.json").write_text(seal({**state, "format": 4}))
    assert "format: Input should be 2 or 3" in assert_refused(saved).what


def test_no_folder_at_all(tmp_path):
    assert_refused(tmp_path / "00000007")
    assert checkpoints(tmp_path / "nowhere") == []
