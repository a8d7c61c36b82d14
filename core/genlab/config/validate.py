"""Validation of a recipe's table against a model of its settings: a checked instance, or faults."""

from __future__ import annotations

import difflib
import inspect
import json
import math
import types
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from annotated_types import GroupedMetadata
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from genlab.config.backslashes import escape_hint, has_escapes
from genlab.config.moved_settings import moved_setting_hint
from genlab.config.other_names import other_name_hint, table_hint
from genlab.errors import Fault

Keys = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class Words(NamedTuple):
    """Description of a type for messages, given in `Annotated`."""

    one: str
    many: str


def validate_table(
    model: type[Model], table: Mapping[str, Any], at: Keys, what: str, also: Sequence[str] = ()
) -> tuple[Model | None, list[Fault]]:
    """Validate a table against a model, strictly.

    Args:
        model: the settings that are valid.
        table: values as TOML gives them.
        at: the keys that lead to the table, for the faults.
        what: what the table is, for messages, such as `generator "unet"`.
        also: keys that the table may have besides, taken out before.
    """
    try:
        # JSON mode: arrays become tuples and text becomes paths, and nothing else is converted.
        checked = model.model_validate_json(json.dumps(_without_dropped(model, table)))
    except ValidationError as error:
        items = error.errors(include_url=False)
        # Each type of a union reports the same value.
        faults = list(dict.fromkeys(_fault(model, table, item, at, what, also) for item in items))
        return None, [fault for fault in faults if not _is_told_better(fault, faults)]
    faults = [_escape_fault((*at, key), str(value)) for key, value in checked if has_escapes(value)]
    return (None, faults) if faults else (checked, [])


def _without_dropped(model: type[BaseModel], table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without the keys that false drops: those that have no default, and no meaning for false."""
    optional = {
        name
        for name, field in model.model_fields.items()
        if field.default is None and bool not in get_args(field.annotation)
    }
    return {key: value for key, value in table.items() if not (value is False and key in optional)}


def _escape_fault(keys: Keys, path: str) -> Fault:
    what = f"`{keys[-1]}`: expected a path, got {shown(path)}, which has control characters"
    return Fault(keys, what, escape_hint(inline(path)))


def _is_told_better(fault: Fault, faults: Iterable[Fault]) -> bool:
    """True if another fault is nested deeper: of a union, only the faults of the closest type are kept."""
    depth = len(fault.path)
    return not fault.at_key and any(len(other.path) > depth and other.path[:depth] == fault.path for other in faults)


def _fault(
    model: type[BaseModel], table: Mapping[str, Any], item: Any, at: Keys, what: str, also: Sequence[str]
) -> Fault:
    if not item["loc"]:
        return Fault(at, f"{what}: {item['msg']}".replace("Value error, ", ""))
    key = str(item["loc"][0])
    fields = model.model_fields
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
        valid = ", ".join([*fields, *also]) or "no settings at all"
        hint = moved_setting_hint((*at, key), table[key]) or key_hint(key, [*fields, *also])
        return Fault((*at, key), f"{what} has no setting `{key}`; it takes {valid}", hint, at_key=True)
    wanted = describe(annotated(fields[key]))
    if item["type"] == "missing" and len(item["loc"]) == 1:
        return Fault(at, f"{what} needs `{key}`: {wanted}", help_of(key, fields[key]), at_key=True)
    inner, given = _followed(table[key], item["loc"][1:])
    named = f" as {dotted((key, *inner))}" if inner else ""
    what = f"`{key}`: expected {wanted}, got {shown(given)}{named}"
    return Fault((*at, key, *inner), what, help_of(key, fields[key]))


def _followed(value: Any, location: Iterable[str | int]) -> tuple[Keys, Any]:
    """The keys of a location that exist in the value, and the value there; the rest are tags of unions."""
    keys: Keys = ()
    for part in location:
        inner: Any = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(inner, dict) and part in inner:
            keys, value = (*keys, part), inner[part]
    return keys, value


def dotted(keys: Keys) -> str:
    """Keys in dotted form: `data.sources[1].count`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{bare(key)}" for key in keys).removeprefix(".")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Hint at the most similar valid name, if one is similar."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean `{close[0]}`?" if close else None


def key_hint(key: str, valid: Iterable[str]) -> str | None:
    """Hint at the setting that an unknown key may mean: of other frameworks, of another table, or of a similar name."""
    return other_name_hint(key) or table_hint(key) or nearest(key, valid)


def help_of(key: str, field: FieldInfo) -> str | None:
    """Hint with the help text of a setting."""
    return f"{key}: {field.description}" if field.description else None


def shown(value: object) -> str:
    """A value in TOML notation, shortened to a readable length."""
    text = inline(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def inline(value: object) -> str:
    """A value in TOML notation, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # The escapes of JSON are valid in TOML, which requires one more.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{bare(key)} = {inline(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(inner) for inner in value)}]"
    return str(value)


def bare(key: str) -> str:
    """A key in TOML notation, quoted where needed."""
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else inline(key)


def annotated(field: FieldInfo) -> Any:
    """The type of a model's field, with its bounds."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


_WORDS: dict[Any, Words] = {
    bool: Words("true or false", "booleans"),
    int: Words("an integer", "integers"),
    float: Words("a number", "numbers"),
    str: Words("text", "texts"),
    Path: Words("a path", "paths"),
    list: Words("a list", "lists"),
    tuple: Words("a list", "lists"),
    Any: Words("anything", "anything"),
    type(None): Words("nothing", "nothing"),
}
_TABLE = Words("a table", "tables")


def describe(annotation: Any) -> str:
    """Describe a type in words: `an integer of at least 1`, `"batch" or "none"`, `true or false, or a list`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        words = next((item.one for item in arguments[1:] if isinstance(item, Words)), None)
        return f"{words or describe(arguments[0])}{_bounds(arguments[0], arguments[1:])}"
    if origin is Literal:
        return _either([shown(argument) for argument in arguments])
    if origin in (Union, types.UnionType):
        return ", or ".join(describe(argument) for argument in arguments if argument is not type(None))
    if _is_list(annotation):
        return f"a list of {_plural(arguments[0])}"
    if origin is tuple and arguments:
        return _tuple(arguments)
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return _either([shown(choice.value) for choice in annotation])
    return _WORDS.get(annotation, _TABLE).one


def _is_list(annotation: Any) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    is_sequence = origin in (list, Sequence, set, frozenset) or (origin is tuple and arguments[-1:] == (Ellipsis,))
    return is_sequence and bool(arguments)


def _tuple(arguments: Sequence[Any]) -> str:
    if len(set(arguments)) == 1:
        return f"a list of {len(arguments)} values, each {describe(arguments[0])}"
    return f"a list of {len(arguments)} values: {', then '.join(describe(argument) for argument in arguments)}"


def _plural(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        words = next((item.many for item in metadata if isinstance(item, Words)), None)
        return f"{words or _plural(inner)}{_bounds(inner, metadata)}"
    if annotation in _WORDS:
        return _WORDS[annotation].many
    words = describe(annotation)
    return _TABLE.many if words == _TABLE.one else f"values, each {words}"


_BOUNDS = {
    "ge": "of at least",
    "gt": "above",
    "le": "of at most",
    "lt": "below",
    "multiple_of": "that is a multiple of",
}
_LENGTHS = {"min_length": "at least", "max_length": "at most"}


def _bounds(annotation: Any, metadata: Iterable[Any]) -> str:
    items: list[Any] = []
    for item in metadata:
        is_group = isinstance(item, GroupedMetadata)
        items += item.metadata if isinstance(item, FieldInfo) else [*item] if is_group else [item]
    unit = " letters" if annotation is str else ""
    values = [f"{word} {bound}" for word, bound in _limits(items, _BOUNDS)]
    lengths = [f"{word} {bound}{unit}" for word, bound in _limits(items, _LENGTHS)]
    lengths = ["not empty" if length == f"at least 1{unit}" else length for length in lengths]
    words = f" {' and '.join(values)}" if values else ""
    return f"{words} ({' and '.join(lengths)})" if lengths else words


def _limits(items: Iterable[Any], words: Mapping[str, str]) -> list[tuple[str, Any]]:
    found = [(word, getattr(item, name, None)) for item in items for name, word in words.items()]
    return [(word, bound) for word, bound in found if bound not in (None, math.inf, -math.inf)]


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
