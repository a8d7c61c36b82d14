"""Weights with the reference's key names become runs that predict as its networks do."""

from __future__ import annotations

import json
import shutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests.checkpoints import tensor_digests
from tests.conftest import ROOT, GenCommand
from tests.core.tools.convert.reference_networks import PatchGAN, ResNet, UNet, settled
from torch import Tensor, nn

import genlab
from genlab import DataUnavailableError, GenlabError, RecipeError, Run, RunError, StorageError
from genlab.tools.compare.comparison import ScoreDifference
from genlab.tools.convert.transfer import own_layers

NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "unet_256 with batch norm": (lambda: UNet(8), 256),
    "unet_256 with instance norm": (lambda: UNet(8, "instance"), 256),
    "unet_128 with batch norm": (lambda: UNet(7), 128),
    "unet_128 with no norm": (lambda: UNet(7, "none"), 128),
    "resnet_9blocks with instance norm": (lambda: ResNet(9), 32),
    "resnet_9blocks with batch norm": (lambda: ResNet(9, "batch"), 32),
    "resnet_6blocks with batch norm": (lambda: ResNet(6, "batch", dropout=True), 32),
    "resnet_6blocks with no norm": (lambda: ResNet(6, "none"), 32),
}


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Save a state dict as the reference does, under its name of such a file."""

    def write(state: object, name: str = "latest_net_G.pth") -> Path:
        torch.save(state, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def converted(save: Callable[..., Path], tmp_path: Path) -> Callable[..., Run]:
    """Convert a network's weights."""

    def convert(network: nn.Module, *overrides: str) -> Run:
        out = tmp_path / "converted"
        genlab.convert(save(network.state_dict()), out=out, overrides=overrides)
        return genlab.open_run(out, device="cpu")

    return convert


def picture(size: int, channels: int = 3) -> Tensor:
    return torch.rand(1, channels, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def as_tested(network: nn.Module, *, evaluates: bool = False, dropout: bool = False) -> nn.Module:
    """The network as the reference's test.py has it: training unless --eval; here without dropout unless wanted."""
    network.train(not evaluates)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.train(dropout)
        elif isinstance(module, nn.BatchNorm2d) and not evaluates:
            module.track_running_stats = False  # it would update its statistics
    return network


def layers_of(network: nn.Module) -> list[nn.Module]:
    return [it for it in network.modules() if isinstance(it, nn.Conv2d | nn.ConvTranspose2d)]


def outputs_of(network: nn.Module, layers: list[nn.Module], call: Callable[[], object]) -> list[Tensor]:
    """The output of each layer in the order in which they are called; the reference's activations change it later."""
    found: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _module, _input, output: found.append(output.clone())) for layer in layers
    ]
    with torch.no_grad():
        call()
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_converted_run_predicts_as_the_reference_layer_by_layer(name: str, converted: Callable[..., Run]) -> None:
    make, size = NETWORKS[name]
    network, image = as_tested(settled(make())), picture(size)
    run = converted(network)
    assert run.manifest.conversion and run.manifest.conversion.layout == name
    theirs = outputs_of(network, layers_of(network), lambda: network(image))
    ours = outputs_of(run.generator, [it.conv for it in own_layers(run.generator)], lambda: run.apply(image))
    assert len(ours) == len(theirs) == len(layers_of(network))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(run.apply(image), network(image), rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", [lambda: UNet(7), lambda: ResNet(6, "batch", dropout=True)])
def test_running_statistics_are_those_of_eval(make: Callable[[], nn.Module], converted: Callable[..., Run]) -> None:
    network, image = as_tested(settled(make()), evaluates=True), picture(128)
    run = converted(network, "inference.normalization=running")
    with torch.no_grad():
        torch.testing.assert_close(run.apply(image), network(image), rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", [lambda: UNet(7), lambda: UNet(8), lambda: ResNet(6, "batch", dropout=True)])
def test_dropout_is_where_the_reference_has_it(make: Callable[[], nn.Module], converted: Callable[..., Run]) -> None:
    """The same random numbers drop the same features, so every drawn prediction is the same, too."""
    network, image = as_tested(settled(make()), dropout=True), picture(256)
    run = converted(network, "inference.dropout=true", "inference.seed=3")
    torch.manual_seed(3)
    with torch.no_grad():
        torch.testing.assert_close(run.apply(image), network(image), rtol=0, atol=1e-5)


# From reports of errors in the reference's issues 812, 931 and 1214 (U-Net), 296, 671 and 461 (residual generator).
PUBLISHED = {
    "unet_256": (
        lambda: UNet(8),
        {
            "model.model.1.model.2.running_mean",
            "model.model.1.model.3.model.3.model.3.model.3.model.3.model.3.model.1.weight",
            "model.model.1.model.3.model.3.model.3.model.3.model.3.model.3.model.4.num_batches_tracked",
            "model.model.1.model.3.model.3.model.3.model.3.model.3.model.6.num_batches_tracked",
        },
    ),
    "unet_256, instance norm": (
        lambda: UNet(8, "instance"),
        {
            "model.model.0.bias",
            "model.model.1.model.3.model.3.model.3.model.3.model.3.model.3.model.3.bias",
            "model.model.1.model.3.model.3.model.3.model.3.model.3.model.5.bias",
        },
    ),
    "resnet_9blocks": (
        lambda: ResNet(9, tracked=True),
        {
            "model.5.running_var",
            "model.10.conv_block.6.running_mean",
            "model.18.conv_block.5.weight",
            "model.26.weight",
        },
    ),
    "resnet_9blocks, dropout": (
        lambda: ResNet(9, dropout=True, tracked=True),
        {"model.10.conv_block.6.bias", "model.10.conv_block.7.running_var", "model.26.bias"},
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_networks_here_have_the_published_keys(name: str) -> None:
    make, keys = PUBLISHED[name]
    assert keys <= make().state_dict().keys()


def test_what_several_gpus_other_types_and_old_versions_saved_is_the_same_run(
    save: Callable[..., Path], tmp_path: Path
) -> None:
    state = settled(UNet(5)).state_dict()
    parallel = OrderedDict((f"module.{name}", tensor.double()) for name, tensor in state.items())
    untracked = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(untracked, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "safe.safetensors")
    files = [save(state), save(parallel, "gpus.pth"), tmp_path / "safe.safetensors", tmp_path / "old.pth"]
    runs = [genlab.convert(file, out=tmp_path / file.stem) for file in files]
    first, *others, old = (genlab.open_run(run.path, device="cpu") for run in runs)
    assert all(tensor_digests(one.path) == tensor_digests(first.path) for one in others)
    assert torch.equal(old.apply(picture(32)), first.apply(picture(32)))


def test_statistics_of_instance_norms_are_left_out_and_named(converted: Callable[..., Run]) -> None:
    network, image = settled(UNet(5, "instance", tracked=True)), picture(64)
    run = converted(network)
    assert run.manifest.conversion
    assert "model.model.1.model.2.running_mean" in run.manifest.conversion.left_out
    with torch.no_grad():
        torch.testing.assert_close(run.apply(image), network(image), rtol=0, atol=1e-5)


def test_sides_have_the_channels_of_the_file(converted: Callable[..., Run]) -> None:
    run = converted(settled(ResNet(6, sides=(4, 1))), "input.direction=b_to_a")
    assert (run.manifest.channels, run.condition.name, run.target.name) == ((4, 1), "b", "a")
    assert run.predict(np.zeros((32, 32, 4), np.uint8)).shape == (32, 32, 1)


@pytest.fixture
def run(converted: Callable[..., Run]) -> Run:
    return converted(settled(UNet(5, "instance")))


def test_the_commands_take_a_converted_run(run: Run, gen: GenCommand, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    predicted = gen("predict", run.path, "one.png", "--out", "predicted")
    assert predicted.returncode == 0, predicted.stderr
    with torch.no_grad(), Image.open(tmp_path / "predicted" / "one.png") as found:
        theirs = settled(UNet(5, "instance"))(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1)
        assert (np.asarray(found) == theirs[0].permute(1, 2, 0).add(1).mul(127.5).round().numpy()).all()
    resumed = gen("resume", run.path)
    assert resumed.returncode == 2
    assert "converted from" in resumed.stderr and "init.generator.from=" in resumed.stderr
    printed = gen("convert", "latest_net_G.pth", "--out", "again", "--json")
    found = json.loads(printed.stdout)
    assert (found["layout"], found["generator"]["levels"]) == ("unet_32 with instance norm", 5)


def test_a_training_starts_with_converted_weights(run: Run, tiny: Path, tmp_path: Path) -> None:
    settings = ["levels=5", "channels=4", 'norm="instance"', "bias=true"]
    more = ["train.steps=1", "train.values_every=1", f"init.generator.from={run.path}"]
    overrides = [*(f"generator.{setting}" for setting in settings), *more]
    started = genlab.train(tiny, overrides=overrides, out=tmp_path / "started")
    match = started.manifest.starts["generator"]
    assert (match.missing, match.other_shapes, match.unused) == ((), (), ())
    assert set(match.matched) == run.generator.state_dict().keys()


def test_pairs_are_those_that_are_named_at_the_conversion(
    run: Run, save: Callable[..., Path], make_pairs: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(DataUnavailableError, match="has no data") as error:
        run.validation_pairs()
    assert "--set data.root=" in str(error.value)
    file = save(settled(UNet(5)).state_dict())
    named = genlab.convert(file, out=tmp_path / "named", overrides=[f"data.root={make_pairs(size=32)}"])
    assert len(named.validation_pairs()) == 3
    assert genlab.probe(named.path, pairs=2, device="cpu").step == 0


def test_a_converted_run_is_evaluated_on_pairs_that_are_named(run: Run, make_pairs: Callable[..., Path]) -> None:
    with pytest.raises(DataUnavailableError, match="has no data") as error:
        genlab.evaluate(run.path, metrics=["psnr"])
    assert "--data" in str(error.value)
    found = genlab.evaluate(run.path, data=make_pairs(size=32), metrics=["psnr"])
    assert (found.split, found.pairs, found.scores[0].nothing) == ("validation", 3, None)
    assert any("converted from weights" in note and "Side a" in note for note in found.notes)


def test_converted_runs_are_compared_where_their_pairs_are_the_same(
    save: Callable[..., Path], make_pairs: Callable[..., Path], tmp_path: Path
) -> None:
    file, pairs = save(settled(UNet(5)).state_dict()), make_pairs(size=32)
    other = Path(shutil.copytree(pairs, tmp_path / "other"))
    next(iter(sorted((other / "val").iterdir()))).unlink()
    for name, root in (("one", pairs), ("two", pairs), ("three", other)):
        genlab.convert(file, out=tmp_path / name, overrides=[f"data.root={root}"])
    found = genlab.compare_runs([tmp_path / name for name in ("one", "two", "three")], device="cpu")
    same, different = found.differences("validation/l1").values()
    assert isinstance(same, ScoreDifference) and same.mean == 0
    assert different == "other validation data"
    cautions = " ".join(found.cautions())
    assert "converted from weights" in cautions and "other data" not in cautions and "steps" not in cautions


def test_of_a_converted_run_only_what_it_sets_is_compared(run: Run, tmp_path: Path) -> None:
    tiny = ROOT / "tests" / "assets" / "tiny.toml"
    trained = genlab.train(tiny, overrides=["train.steps=1"], out=tmp_path / "trained")
    for order in ([run.path, trained.path], [trained.path, run.path]):
        changed = genlab.compare_runs(order, device="cpu").changed
        own = [row[order.index(run.path)] for row in changed.values()]
        assert "generator.levels" in changed
        assert None not in own


def test_a_converted_run_is_exported(run: Run, tmp_path: Path) -> None:
    exported = genlab.export_run(run.path, tmp_path / "hub", file_format="hub")
    card = (exported.path / "README.md").read_text(encoding="utf-8")
    assert "converted from" in card and "trained 0 steps" not in card
    assert str(tmp_path) not in card
    image = np.zeros((32, 32, 3), np.uint8)
    assert (genlab.from_pretrained(exported.path, device="cpu").predict(image) == run.predict(image)).all()


class Colored:
    """Something that a pickle can hold, and that is no tensor."""


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "an object": (lambda: {"net": Colored()}, "more than tensors"),
    "a module": (lambda: nn.Conv2d(1, 1, 1), "more than tensors"),
    "a list": (lambda: [torch.zeros(1)], "expected a state dict, got a list"),
    "nothing": (dict, "got a dict with nothing"),
    "a checkpoint": (lambda: {"epoch": 3, "net": {"model.1.weight": torch.zeros(1)}}, r'\["net"\]'),
    "classes": (lambda: {"model.model.0.weight": torch.zeros(4, 3, 4, 4, dtype=torch.int64)}, "got int64"),
    "repeated values": (lambda: {"model.model.0.weight": torch.zeros(1).expand(10**6, 10**6)}, "another tensor"),
    "no values": (lambda: {"model.model.0.weight": torch.zeros(4, 3, 4, 4, device="meta")}, "another tensor"),
    "sparse values": (lambda: {"model.model.0.weight": torch.zeros(4, 4).to_sparse()}, "another tensor"),
    "a discriminator": (lambda: PatchGAN().state_dict(), "discriminator"),
    "pixels": (lambda: {"net.0.weight": torch.zeros(4, 3, 1, 1)}, "discriminator"),
    "another network": (lambda: {"fc.weight": torch.zeros(2, 2)}, "fc.weight"),
    "half a network": (lambda: {"model.model.0.weight": torch.zeros(4, 3, 4, 4)}, "is missing"),
    "colorization": (lambda: UNet(5, sides=(1, 2)).state_dict(), "Lab"),
    "blurred": (lambda: ResNet(6).state_dict() | {"model.7.filt": torch.zeros(1)}, "model.7.filt"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_files_are_refused_by_what_they_hold(name: str, save: Callable[..., Path], tmp_path: Path) -> None:
    content, message = REFUSED[name]
    file = save(content())
    with pytest.raises(GenlabError, match=message) as error:
        genlab.convert(file, out=tmp_path / "out")
    assert str(file) in str(error.value)
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_read_are_named(tmp_path: Path, save: Callable[..., Path]) -> None:
    whole = save(UNet(5).state_dict())
    (tmp_path / "cut.pth").write_bytes(whole.read_bytes()[:2000])
    (tmp_path / "text.pth").write_text("weights")
    (tmp_path / "empty.pth").touch()
    (tmp_path / "stack.pth").write_bytes(b"\x80\x02.")
    for name in ("cut.pth", "text.pth", "none.pth", ".", "empty.pth", "stack.pth"):
        with pytest.raises(GenlabError, match=str(tmp_path)):
            genlab.convert(tmp_path / name, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_layer_of_another_shape_is_named(save: Callable[..., Path], tmp_path: Path) -> None:
    key = "model.model.1.model.1.weight"
    for tensor, message in [(torch.zeros(6, 4, 4, 4), "6 x 4 x 4 x 4, and encoder 2"), (None, "is missing")]:
        state = {name: value for name, value in {**UNet(5).state_dict(), key: tensor}.items() if value is not None}
        with pytest.raises(GenlabError, match=f"{key} is {message}|{key} {message}"):
            genlab.convert(save(state), out=tmp_path / "out")
    with pytest.raises(GenlabError, match=r"no place for attention\.weight"):
        genlab.convert(save(UNet(5).state_dict() | {"attention.weight": torch.zeros(2)}), out=tmp_path / "out")
    with pytest.raises(GenlabError, match=r"model\.4\.weight is not finite"):
        state = ResNet(6).state_dict()
        state["model.4.weight"][0, 0, 0, 0] = torch.nan
        genlab.convert(save(state), out=tmp_path / "out")


@pytest.mark.parametrize(
    ("network", "override", "layer"),
    [
        (UNet(6), "levels=5", "model.model.1.model.3.model.3.model.3.model.2"),
        (UNet(6), "channels=8", "model.model.0.weight"),
        (UNet(6), 'norm="instance"', "model.model.1.model.2 is a batch norm"),
        (UNet(6, "instance"), "bias=false", "model.model.0.bias"),
        (ResNet(6), "blocks=9", "model.16"),
        (ResNet(6), 'norm="batch"', "model.1.bias"),
    ],
)
def test_settings_that_do_not_fit_are_told_the_layer_and_what_fits(
    network: nn.Module, override: str, layer: str, save: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError) as error:
        genlab.convert(save(network.state_dict()), out=tmp_path / "out", overrides=[f"generator.{override}"])
    assert layer in str(error.value)
    assert f"generator.{override.partition('=')[0]} = " in str(error.value)
    assert f"--set generator.{override}" in str(error.value)
    assert not (tmp_path / "out").exists()


def test_what_a_conversion_has_no_use_for_is_refused(save: Callable[..., Path], tmp_path: Path) -> None:
    file = save(UNet(5).state_dict())
    for override in ("train.steps=5", "ema.horizon=100", "method.name=cyclegan", "losses.adversarial.weight=1"):
        with pytest.raises(RecipeError, match="it trains nothing"):
            genlab.convert(file, out=tmp_path / "out", overrides=[override])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(RunError, match="already exists"):
        genlab.convert(file, out=tmp_path / "out")


def test_a_full_disk_leaves_nothing(save: Callable[..., Path], small_disk: Path) -> None:
    file = save(UNet(5, channels=32).state_dict())
    with pytest.raises(StorageError, match="full"):
        genlab.convert(file, out=small_disk / "run")
    assert not (small_disk / "run").exists()
