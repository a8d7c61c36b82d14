"""Contract of a component: its base class, and the settings that its constructor's signature declares.

A `PluginError` tells the plugin's author what to fix. Importing this imports no torch.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from annotated_types import MinLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticSerializationError, from_json, to_json

from genlab.config.validate import Words, shown
from genlab.errors import PluginError
from genlab.interfaces.kinds import KINDS, Kind, with_article
from genlab.interfaces.role import FurtherInput

Parameters = Mapping[str, inspect.Parameter]

_RENAMED_ATTRIBUTES = {
    "discriminator": {"least_size": "min_size"},
    "metric": {"better": "higher_is_better", "figures": "scores", "of_targets": "target_scores"},
}
_RENAMED_VALUES = {"better": {"lower": "False", "higher": "True"}}


def renamed_attributes(component: object, kind: Kind) -> str | None:
    """Sentence on the attributes that a class, or its instance, has under their old names; None without one."""
    interface = load_object(kind.interfaces[0])
    found: list[str] = []
    for old, new in _RENAMED_ATTRIBUTES.get(kind.name, {}).items():
        value: object = getattr(component, old, None)
        is_inherited = getattr(component, new, None) is getattr(interface, new, None)
        if value and not callable(value) and is_inherited:  # a method of that name is the class's own
            now = _RENAMED_VALUES.get(old, {}).get(str(value))
            found.append(f"its `{old}` is called `{new}` now" + (f", and {value!r} is {now}" if now else ""))
    return f"{'; '.join(found)}{_location(component)}" if found else None


def _location(component: object) -> str:
    """File and line of a class, or of an instance's class, in brackets; empty where there is no source."""
    cls = component if inspect.isclass(component) else type(component)
    try:
        return f" ({Path(inspect.getfile(cls)).name}, line {inspect.getsourcelines(cls)[1]})"
    except (OSError, TypeError):  # made by `type` or in a console
        return ""


class Contract(NamedTuple):
    """Settings that a recipe may give a component.

    Args:
        settings: a model of the settings, with their defaults and help.
        nested: the settings that are components, or lists of them, with their kinds.
        supplied: the arguments that it takes from the framework.
    """

    settings: type[BaseModel]
    nested: Mapping[str, str]
    supplied: tuple[str, ...]


def load_object(path: str) -> Any:
    """Import the object that `package.module:Name` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def check_class(cls: Any, kind: Kind) -> type:
    """Check that a class is a complete component of its kind."""
    interfaces = tuple(load_object(path) for path in kind.interfaces)
    if not (inspect.isclass(cls) and issubclass(cls, interfaces)):
        names = " or ".join(map(_public_name, kind.interfaces))
        raise PluginError(f"{getattr(cls, '__name__', cls)} does not derive from {names}")
    if renamed := renamed_attributes(cls, kind):
        raise PluginError(renamed)
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    for interface in interfaces:
        if issubclass(cls, interface):
            missing += [name for name in _class_attributes(interface) if not hasattr(cls, name)]
    if missing:
        raise PluginError(f"{cls.__name__} lacks {', '.join(f'`{name}`' for name in missing)}")
    for interface in interfaces:
        if issubclass(cls, interface):
            _check_calls(cls, interface)
    return cls


def _public_name(path: str) -> str:
    """Name of an interface as plugins import it: genlab's own from genlab, another's from where it is."""
    module, _, name = path.partition(":")
    return f"genlab.{name}" if module.startswith("genlab.") else f"{module}.{name}"


def _class_attributes(interface: type) -> Iterator[str]:
    """Names that an interface requires of a class; those of instances may be set by a constructor."""
    for name, annotation in inspect.get_annotations(interface).items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            yield name


def _check_calls(cls: type, interface: type) -> None:
    """Check that an interface's methods can be called as the framework calls them."""
    for name in sorted(getattr(interface, "__abstractmethods__", ())):
        asked, given = getattr(interface, name), getattr(cls, name)
        if not (inspect.isfunction(asked) and inspect.isfunction(given)):
            continue
        parameters, taken = _named(inspect.signature(asked)), inspect.signature(given)
        # Those come by name; a generator that takes one may do without a default.
        further = {name: None for name in get_args(FurtherInput) if name in taken.parameters}
        try:
            taken.bind(*parameters, **further)
        except TypeError as error:
            words = ", ".join(parameters[1:])
            raise PluginError(f"{cls.__name__}.{name} cannot be called as {name}({words}): {error}") from error


def _named(signature: inspect.Signature) -> list[str]:
    """Names of the parameters that every call gives; `*args` and `**inputs` stand for those of some classes."""
    various = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, parameter in signature.parameters.items() if parameter.kind not in various]


def read_contract(cls: type, kind: Kind, preset: Iterable[str]) -> Contract:
    """Read the contract from a class's constructor.

    Args:
        cls: the component's class.
        kind: its kind, which says what the framework supplies.
        preset: the arguments that its registration fixes.
    """
    parameters = dict(inspect.signature(cls).parameters)
    _check_held(parameters, kind, preset)
    hints = _hints(cls)
    given = (*kind.supplied, *kind.offered, *preset)
    settings = {name: value for name, value in parameters.items() if name not in given}
    for name, parameter in settings.items():
        _check_setting(name, parameter, name in hints, kind)
    kinds = {name: nested_kind(hints[name]) for name in settings}
    nested = {name: inner for name, inner in kinds.items() if inner}
    for name, inner in nested.items():
        if KINDS[inner].supplied:
            what = f"its setting `{name}` asks for {with_article(inner)}"
            raise PluginError(f"{what}, which only the framework can construct")
    supplied = tuple(name for name in (*kind.supplied, *kind.offered) if name in parameters)
    return Contract(_model(cls, settings, hints, nested), nested, supplied)


def _check_held(parameters: Parameters, kind: Kind, preset: Iterable[str]) -> None:
    """Check arguments that are not settings against the signature."""
    for name in kind.supplied:
        if name not in parameters:
            raise PluginError(f"its constructor does not take `{name}`, which the framework supplies")
    for name in preset:
        if name not in parameters:
            raise PluginError(f"it is registered with `{name}` fixed, which its constructor does not take")
        if name in (*kind.supplied, *kind.offered):
            raise PluginError(f"it is registered with `{name}` fixed, which the framework supplies")


def _check_setting(name: str, parameter: inspect.Parameter, has_type: bool, kind: Kind) -> None:
    if name in kind.reserved:
        raise PluginError(f"its setting `{name}` collides with the framework's reserved key")
    if name.startswith("_"):
        raise PluginError(f"its setting `{name}` begins with an underscore")
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind == parameter.VAR_POSITIONAL else "**"
        raise PluginError(f"its constructor takes `{stars}{name}`; settings must be named one by one")
    if parameter.kind == parameter.POSITIONAL_ONLY:
        raise PluginError(f"its setting `{name}` cannot be given by name")
    if not has_type:
        raise PluginError(f"its setting `{name}` has no type")


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls.__init__, include_extras=True)
    except Exception as error:
        what = f"the types of its constructor cannot be read: {error}"
        raise PluginError(f"{what}; import them in the module, not only for type checkers") from error


def _model(cls: type, settings: Parameters, hints: Mapping[str, Any], nested: Mapping[str, str]) -> type[BaseModel]:
    help_lines = argument_help(cls)
    fields: dict[str, Any] = {}
    for name, parameter in settings.items():
        is_required = parameter.default is parameter.empty
        annotation = _table_of(hints[name], nested[name], is_required) if name in nested else hints[name]
        default = ... if is_required else parameter.default
        fields[name] = (annotation, Field(default, description=help_lines.get(name)))
    try:
        model = _create(cls.__name__, fields)
    except Exception as error:
        raise PluginError(f"its setting `{_unreadable(fields)}` is of a type that a recipe cannot give") from error
    _check_defaults(model, {name: value.default for name, value in settings.items()})
    return model


def _create(name: str, fields: Mapping[str, Any]) -> type[BaseModel]:
    config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())
    with warnings.catch_warnings():
        # A setting may be called `copy` or `json`: methods of the model by these names are not used.
        warnings.filterwarnings("ignore", message=".*shadows an attribute", category=UserWarning)
        return create_model(name, __config__=config, **fields)


def _unreadable(fields: Mapping[str, Any]) -> str:
    """The first field with a type that pydantic rejects."""
    for name, field in fields.items():
        try:
            _create(name, {name: field})
        except Exception:  # noqa: BLE001  (pydantic's own, or whatever a type's bounds raise)
            return name
    raise AssertionError(f"none of {list(fields)} is at fault alone")


def _check_defaults(model: type[BaseModel], defaults: Mapping[str, Any]) -> None:
    """Check that defaults can be written in a recipe, as a run's recipe has every value."""
    given = {name: value for name, value in defaults.items() if value is not inspect.Parameter.empty}
    for name, value in given.items():
        try:
            written = to_json({name: value}, inf_nan_mode="constants")
            if value is not None and _has_none(from_json(written)[name]):
                raise PluginError(_unwritable(name))
            model.model_validate_json(written)
        except PydanticSerializationError as error:
            raise PluginError(_unwritable(name)) from error
        except ValidationError as error:
            if any(item["loc"][:1] == (name,) for item in error.errors()):
                words = "None" if value is None else shown(value)
                raise PluginError(f"the default of its setting `{name}`, {words}, does not fit its type") from error


def _unwritable(name: str) -> str:
    return f"the default of its setting `{name}` cannot be written in a recipe"


def _has_none(value: Any) -> bool:
    """True if a JSON value contains None, which TOML cannot express."""
    if isinstance(value, Mapping):
        return any(map(_has_none, value.values()))
    return any(map(_has_none, value)) if isinstance(value, list) else value is None


def nested_kind(annotation: Any) -> str | None:
    """The kind of component that an annotation asks for: `Dataset`, `list[Dataset]`, or one of them or None."""
    inner, _ = _optional(annotation)
    inner = get_args(inner)[0] if get_origin(inner) is list and get_args(inner) else inner
    if not inspect.isclass(inner):
        return None
    path = f"{inner.__module__}:{inner.__qualname__}"
    return next((kind.name for kind in KINDS.values() if path in kind.interfaces), None)


def _optional(annotation: Any) -> tuple[Any, bool]:
    """An annotation without None, and whether it had None."""
    arguments = get_args(annotation)
    if get_origin(annotation) not in (Union, types.UnionType) or type(None) not in arguments or len(arguments) != 2:
        return annotation, False
    return next(argument for argument in arguments if argument is not type(None)), True


def _table_of(annotation: Any, kind: str, is_required: bool) -> Any:
    """Type of a component in a recipe: its table, which is validated by itself."""
    inner, is_optional = _optional(annotation)
    named = with_article(kind)
    result: Any = Annotated[
        dict[str, Any], Words(f"a table with the `name` of {named}", f"tables, each with the `name` of {named}")
    ]
    if get_origin(inner) is list:
        result = Annotated[list[result], MinLen(1)] if is_required else list[result]
    return result | None if is_optional else result


_ARGUMENT = re.compile(r"^(\w+)(?: \([^)]*\))?: *(.+(?:\n +.+)*)", re.MULTILINE)


def argument_help(cls: type, section: str = "Args") -> dict[str, str]:
    """Help of each argument, or attribute, from a section of the docstrings of a class and its constructor."""
    lines: dict[str, str] = {}
    for text in (cls.__doc__, cls.__init__.__doc__):
        _, _, rest = inspect.cleandoc(text or "").partition(f"{section}:\n")
        own = re.split(r"\n(?=\S)", rest, maxsplit=1)[0]
        lines |= {name: " ".join(words.split()) for name, words in _ARGUMENT.findall(textwrap.dedent(own))}
    return lines
