import pytest

import genlab
from genlab import PluginError, Registry
from genlab.interfaces.kinds import KINDS
from genlab.registry.contract import load_object


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_method_of_its_name(kind: str) -> None:
    registry = Registry()
    getattr(registry, kind)("toy", "toys.parts:Toy", scale=2)
    (registration,) = registry.registrations
    assert registration.kind is KINDS[kind]
    assert (registration.name, registration.target, registration.preset) == ("toy", "toys.parts:Toy", {"scale": 2})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_knows_its_interface(kind: str) -> None:
    for path in KINDS[kind].interfaces:
        interface = load_object(path)
        assert isinstance(interface, type)
        is_ours = interface.__module__.startswith("genlab.")
        assert not is_ours or interface.__name__ in genlab.__all__, "list it in core/genlab/__init__.pyi"


def test_a_setting_of_any_name_can_be_fixed() -> None:
    registry = Registry()
    registry.loss("soft", "toys:Loss", target=0.9, name="x", self=1)
    assert registry.registrations[0].preset == {"target": 0.9, "name": "x", "self": 1}


def test_a_class_can_be_given_itself() -> None:
    class Toy:
        pass

    registry = Registry()
    registry.metric("toy", Toy)
    assert registry.registrations[0].target is Toy


def test_one_name_may_be_used_for_several_kinds() -> None:
    registry = Registry()
    registry.loss("l1", "toys:Loss")
    registry.metric("l1", "toys:Metric")
    assert [(entry.kind.name, entry.name) for entry in registry.registrations] == [("loss", "l1"), ("metric", "l1")]


def test_a_name_is_registered_once_for_a_kind() -> None:
    registry = Registry()
    registry.loss("l1", "toys:Loss")
    with pytest.raises(PluginError, match=r"^loss 'l1' is registered twice$"):
        registry.loss("l1", "toys:Other")


@pytest.mark.parametrize("name", ["", "a b", "no-skips", "3d", "a:b", "a.b"])
def test_a_name_is_one_word(name: str) -> None:
    with pytest.raises(PluginError, match="is not a word of letters, digits and underscores"):
        Registry().generator(name, "toys:Net")


@pytest.mark.parametrize("target", ["toys.Net", "toys:", ":Net", ""])
def test_a_target_says_module_and_class(target: str) -> None:
    with pytest.raises(PluginError, match=r'which is not of the form "package\.module:Class"$'):
        Registry().generator("net", target)
