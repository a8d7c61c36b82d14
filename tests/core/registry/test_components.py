"""From a component's table in a recipe to the component itself."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from genlab import Dataset, Generator, Listener, Metric, PluginError, RecipeError, Registry
from genlab.errors import Fault
from genlab.registry.components import ComponentConfig, Components
from genlab.registry.discovery.plugin import Plugin


class Plain(Dataset):
    def open(self, split: Any) -> Any:
        raise NotImplementedError


class Folder(Plain):
    """Pairs in a folder.

    Args:
        root: where they are.
    """

    def __init__(self, *, root: Path, others: tuple[Path, ...] = (), count: int = 3) -> None:
        self.root = root
        self.others = others
        self.count = count


class Ordered(Plain):
    def __init__(self, *, low: int = 0, high: int = 9) -> None:
        if low > high:
            raise ValueError(f"high is {high}, which is below low, {low}")
        self.bounds = low, high


class First(Plain):
    def __init__(self, *, sources: list[Dataset], spare: Dataset | None = None) -> None:
        if len(sources) > 3:
            raise ValueError("these are too many")
        self.sources = sources
        self.spare = spare


class Cropped(Plain):
    def __init__(self, *, inner: Dataset) -> None:
        self.inner = inner


class Side(Enum):
    A = "a"
    B = "b"


class Chosen(Plain):
    def __init__(self, *, side: Side = Side.A, only: set[int] = {3}, depth: float | None = None) -> None:  # noqa: B006
        self.side = side


class Untyped(Plain):
    def __init__(self, *, count=3) -> None: ...  # pyright: ignore


class Explosive(Plain):
    def __init__(self) -> None:
        raise RuntimeError("a defect of the plugin")


def plugin(package: str, failure: str | None = None, **datasets: type | str | tuple[Any, dict[str, Any]]) -> Plugin:
    registry = Registry()
    for name, target in datasets.items():
        cls, preset = target if isinstance(target, tuple) else (target, {})
        registry.dataset(name, cls, **preset)
    return Plugin(package, package, "1.2", registrations=registry.registrations, failure=failure)


TOYS = plugin(
    "genlab-toys",
    plain=Plain,
    folder=Folder,
    ordered=Ordered,
    narrow=(Ordered, {"high": 1}),
    first=First,
    cropped=Cropped,
    chosen=Chosen,
    explosive=Explosive,
)


@pytest.fixture
def toys() -> Components:
    return Components([TOYS])


def spec(components: Components, **table: Any) -> ComponentConfig:
    found, faults = components.configure("dataset", table, ("data",))
    assert faults == []
    assert found is not None
    return found


def faults(components: Components, table: Mapping[str, Any], kind: str = "dataset") -> list[Fault]:
    found, all_faults = components.configure(kind, dict(table), ("data",))
    assert found is None
    return all_faults


def fault(components: Components, **table: Any) -> Fault:
    (found,) = faults(components, table)
    return found


def test_a_table_becomes_a_component(toys: Components) -> None:
    made = spec(toys, name="folder", root="/pairs", count=5).build()
    assert isinstance(made, Folder)
    assert (made.root, made.count) == (Path("/pairs"), 5)


def test_paths_are_absolute_as_seen_from_here(
    toys: Components, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    found = spec(toys, name="folder", root="pairs", others=["~/more", "/all"])
    assert found.settings["root"] == tmp_path / "pairs"
    assert found.settings["others"] == (Path("/home/me/more"), Path("/all"))


def test_what_a_registration_fixes_is_given_and_cannot_be_set(toys: Components) -> None:
    assert spec(toys, name="narrow", low=1).build().bounds == (1, 1)
    assert fault(toys, name="narrow", high=3).what == 'dataset "narrow" has no setting `high`; it takes low, name'


def test_the_framework_adds_what_it_supplies() -> None:
    class Net(Generator):
        def __init__(self, *, in_channels: int, out_channels: int, levels: int = 2) -> None:
            super().__init__()
            self.arguments = in_channels, out_channels, levels

        def forward(self, condition: Any) -> Any:
            return condition

    registry = Registry()
    registry.generator("net", Net)
    toys = Components([Plugin("p", "p", registrations=registry.registrations)])
    found, _ = toys.configure("generator", {"name": "net", "levels": 5}, ("generator",))
    assert found is not None
    assert found.build(in_channels=1, out_channels=3).arguments == (1, 3, 5)


def test_components_among_the_settings_are_constructed_first(toys: Components) -> None:
    table = {
        "name": "first",
        "sources": [{"name": "folder", "root": "/a"}, {"name": "cropped", "inner": {"name": "ordered", "low": 2}}],
    }
    parts = spec(toys, **table).build_parts()
    assert [part.config.component.name for part in parts] == ["folder", "ordered", "cropped", "first"]
    folder, ordered, cropped, first = (part.instance for part in parts)
    assert first.sources == [folder, cropped]
    assert first.spare is None
    assert cropped.inner is ordered
    assert ordered.bounds == (2, 9)


def test_all_components_below_are_known(toys: Components) -> None:
    table = {"sources": [{"name": "cropped", "inner": {"name": "ordered"}}], "spare": {"name": "plain"}}
    names = [inner.component.name for inner in spec(toys, name="first", **table).nested()]
    assert names == ["cropped", "ordered", "plain"]


def test_each_construction_makes_new_ones(toys: Components) -> None:
    found = spec(toys, name="first", sources=[{"name": "plain"}])
    one, other = found.build(), found.build()
    one.sources.clear()
    assert other.sources
    assert len(found.build().sources) == 1


def test_the_table_says_every_value_as_toml_can(toys: Components) -> None:
    assert spec(toys, name="chosen").table() == {
        "name": "genlab-toys:chosen",
        "side": "a",
        "only": [3],
        "depth": None,
    }
    nested = spec(toys, name="first", sources=[{"name": "folder", "root": "/a", "others": ["/b"]}])
    assert nested.table() == {
        "name": "genlab-toys:first",
        "sources": [{"name": "genlab-toys:folder", "root": "/a", "others": ["/b"], "count": 3}],
        "spare": None,
    }


def test_a_refusal_is_a_fault_at_the_setting_that_it_names(toys: Components) -> None:
    with pytest.raises(RecipeError) as caught:
        spec(toys, name="ordered", low=5, high=3).build()
    assert caught.value.faults == (Fault(("data", "high"), 'dataset "ordered": high is 3, which is below low, 5'),)


def test_a_refusal_that_names_none_is_a_fault_at_the_table(toys: Components) -> None:
    with pytest.raises(RecipeError) as caught:
        spec(toys, name="first", sources=[{"name": "plain"}] * 4).build()
    assert caught.value.faults == (Fault(("data",), 'dataset "first": these are too many'),)


def test_a_refusal_of_an_inner_component_is_a_fault_there(toys: Components) -> None:
    table = {"name": "first", "sources": [{"name": "plain"}, {"name": "ordered", "low": 10}]}
    with pytest.raises(RecipeError) as caught:
        spec(toys, **table).build()
    assert caught.value.faults[0].path == ("data", "sources", 1, "high")


def test_a_defect_of_a_plugin_is_not_taken_for_a_refusal(toys: Components) -> None:
    with pytest.raises(RuntimeError, match="a defect of the plugin"):
        spec(toys, name="explosive").build()


def test_a_table_needs_a_name(toys: Components) -> None:
    names = "chosen, cropped, explosive, first, folder, narrow, ordered, plain"
    assert fault(toys, root="/x") == Fault(("data",), f"`data` needs the `name` of a dataset: {names}")
    assert fault(toys, name=3) == Fault(("data", "name"), f"`name`: expected the name of a dataset ({names}), got 3")
    assert fault(toys, name="first", sources=[{}]).what.startswith("`data.sources[0]` needs the `name` of a dataset: ")


def test_faults_of_inner_components_are_told_with_those_around_them(toys: Components) -> None:
    table = {
        "name": "first",
        "source": 1,
        "sources": [{"name": "folder", "root": 3}, {"name": "cropped", "inner": {"name": "ordered", "lo": 1}}, 7],
        "spare": {"name": "nothing"},
    }
    assert {found.path for found in faults(toys, table)} == {
        ("data", "source"),
        ("data", "sources", 0, "root"),
        ("data", "sources", 1, "inner", "lo"),
        ("data", "sources", 2),
        ("data", "spare", "name"),
    }


@pytest.mark.parametrize(
    ("sources", "what"),
    [
        ([], "`sources`: expected a list of tables, each with the `name` of a dataset (not empty), got []"),
        ("x", '`sources`: expected a list of tables, each with the `name` of a dataset (not empty), got "x"'),
    ],
)
def test_a_list_of_components_is_a_list_of_tables(toys: Components, sources: Any, what: str) -> None:
    assert fault(toys, name="first", sources=sources).what == what


def test_a_missing_component_is_described(toys: Components) -> None:
    assert fault(toys, name="cropped").what == 'dataset "cropped" needs `inner`: a table with the `name` of a dataset'


def test_an_unknown_name_is_told_with_the_nearest_and_all_that_there_are(toys: Components) -> None:
    found = fault(toys, name="foldr")
    assert found.path == ("data", "name")
    names = "chosen, cropped, explosive, first, folder, narrow, ordered, plain"
    assert found.what == f'no plugin gives a dataset "foldr"; there are {names}'
    assert found.hint == "Did you mean `folder`?"


def test_an_unknown_name_may_be_that_of_a_plugin_which_did_not_load() -> None:
    broken = plugin("genlab-hub", failure="ModuleNotFoundError: No module named 'hub' (genlab_hub.py, line 3)")
    found = fault(Components([TOYS, broken]), name="foldr")
    assert found.hint == (
        "Did you mean `folder`?\n"
        "The plugin genlab-hub 1.2 did not load: ModuleNotFoundError: No module named 'hub' (genlab_hub.py, line 3)"
    )
    assert spec(Components([TOYS, broken]), name="plain").build()


def test_a_kind_of_which_there_is_none_at_all(toys: Components) -> None:
    (found,) = faults(toys, {"name": "l1"}, "metric")
    assert found.what == 'no plugin gives a metric "l1"; there are none'
    (found,) = faults(toys, {}, "metric")
    assert found.what == "`data` needs the `name` of a metric: no plugin gives one"


def test_a_name_of_two_plugins_must_be_told_apart() -> None:
    both = Components([plugin("genlab-one", folder=Folder), plugin("genlab-two", folder=Ordered, other=Plain)])
    assert both.names("dataset") == ["folder", "other"]
    found = fault(both, name="folder")
    assert found.what == 'more than one plugin gives a dataset "folder"'
    assert found.hint.startswith('Say which: "genlab-one:folder" or "genlab-two:folder"; ')
    chosen = spec(both, name="genlab-two:folder", low=4)
    assert chosen.build().bounds == (4, 9)
    assert chosen.table()["name"] == "genlab-two:folder"
    assert str(chosen.component) == 'dataset "genlab-two:folder"'
    other = spec(both, name="other")
    assert other.component.plugin.package == "genlab-two"
    assert other.table()["name"] == "genlab-two:other"
    assert str(other.component) == 'dataset "other"'


def test_a_table_names_a_component_whatever_name_it_was_given_by(toys: Components) -> None:
    one, other = spec(toys, name="plain"), spec(toys, name="Genlab.Toys:plain")
    assert one.table() == other.table() == {"name": "genlab-toys:plain"}
    assert str(one.component) == str(other.component) == 'dataset "plain"'


@pytest.mark.parametrize("name", ["genlab-toys:foldr", "genlab-toys:", ":", ""])
def test_a_name_with_a_package_that_does_not_give_it(toys: Components, name: str) -> None:
    assert fault(toys, name=name).what.startswith(f'no plugin gives a dataset "{name}"; there are chosen, ')


def test_a_name_with_a_package_that_is_not_there(toys: Components) -> None:
    found = fault(toys, name="genlab-toy:folder")
    missing = 'the dataset "genlab-toy:folder" is missing: no plugin of a package `genlab-toy` is installed'
    assert found.what == f"{missing}; there are genlab-toys"
    assert found.hint == "Did you mean `genlab-toys`?"


@pytest.mark.parametrize("package", ["genlab_two", "Genlab.Two", "genlab--two"])
def test_a_package_may_be_written_as_people_do(package: str) -> None:
    both = Components([plugin("genlab-one", folder=Folder), plugin("genlab-two", folder=Ordered)])
    assert spec(both, name=f"{package}:folder").component.plugin.package == "genlab-two"


def test_a_package_that_gives_a_name_twice_cannot_be_told_apart() -> None:
    both = Components([plugin("genlab-one", folder=Folder), plugin("genlab-one", folder=Ordered)])
    assert fault(both, name="genlab-one:folder").hint == "One of them must be renamed."


def test_what_is_called_by_a_name_or_a_package() -> None:
    registry = Registry()
    registry.metric("folder", Metric)
    other = Plugin("m", "genlab-metrics", "1.2", registrations=registry.registrations)
    components = Components([plugin("genlab-one", folder=Folder, plain=Plain), other])
    called = lambda *words: [f"{found} of {found.plugin}" for found in components.called(*words)]  # noqa: E731
    assert called("folder") == ['dataset "folder" of genlab-one 1.2', 'metric "folder" of genlab-metrics 1.2']
    assert called("folder", "metric") == ['metric "folder" of genlab-metrics 1.2']
    assert called("genlab-one:folder") == ['dataset "folder" of genlab-one 1.2']
    assert called("Genlab_One") == ['dataset "folder" of genlab-one 1.2', 'dataset "plain" of genlab-one 1.2']
    with pytest.raises(PluginError, match="no plugin gives a component `foldr`") as caught:
        called("foldr")
    assert caught.value.hint == "Did you mean `folder`?"


def test_a_broken_contract_is_told_with_the_plugin_that_breaks_it() -> None:
    components = Components([plugin("genlab-old", untyped=Untyped, strange=int)])
    assert fault(components, name="untyped") == Fault(
        ("data", "name"), 'dataset "untyped" of genlab-old 1.2 breaks the contract: its setting `count` has no type'
    )
    assert fault(components, name="strange").what.endswith("int does not derive from genlab.Dataset")


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("no_such_module:X", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("genlab.errors:Nothing", "AttributeError: module 'genlab.errors' has no attribute 'Nothing'"),
        ("faulty_parts:X", "ZeroDivisionError: division by zero (faulty_parts.py, line 3)"),
    ],
)
def test_a_class_that_cannot_be_imported_is_told_with_the_reason(
    target: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faulty_parts.py").write_text("\n\n1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = fault(Components([plugin("genlab-far", far=target)]), name="far")
    start = f'dataset "far" of genlab-far 1.2 breaks the contract: {target} cannot be imported: '
    assert found.what.startswith(start + what)


def test_only_what_is_named_is_imported() -> None:
    components = Components([plugin("genlab-far", far="no_such_module:X", near=Plain)])
    assert components.names("dataset") == ["far", "near"]
    assert components.get("dataset", "near").cls is Plain
    with pytest.raises(PluginError, match="cannot be imported"):
        components.get("dataset", "far").cls  # noqa: B018


def test_names_are_those_of_one_kind() -> None:
    registry = Registry()
    registry.metric("l1", Metric)
    registry.listener("log", Listener)
    components = Components([Plugin("p", "p", registrations=registry.registrations)])
    assert (components.names("metric"), components.names("listener"), components.names("loss")) == (["l1"], ["log"], [])
