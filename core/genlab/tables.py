"""A table of a recipe held against a model of its settings: either a checked instance, or faults for a person."""

from __future__ import annotations

import difflib
import json
import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from genlab.errors import Fault

Keys = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


def check(model: type[Model], table: Mapping[str, Any], at: Keys, what: str) -> tuple[Model | None, list[Fault]]:
    """Hold a table against a model, strictly.

    Args:
        model: the settings that are valid.
        table: values as TOML gives them.
        at: the keys that lead to the table, for the faults.
        what: what the table is, for messages, such as `generator "unet"`.
    """
    try:
        # JSON mode: arrays become tuples and text becomes paths, and nothing else is converted.
        return model.model_validate_json(json.dumps(table, default=str)), []
    except ValidationError as error:
        faults: dict[Keys, Fault] = {}
        for item in error.errors(include_url=False):
            fault = _fault(model, item, at, what)
            faults.setdefault(fault.path, fault)
        return None, list(faults.values())


def _fault(model: type[BaseModel], item: Any, at: Keys, what: str) -> Fault:
    if not item["loc"]:
        return Fault(at, str(item["msg"]).removeprefix("Value error, "))
    key = str(item["loc"][0])
    fields = model.model_fields
    if item["type"] == "extra_forbidden":
        valid = ", ".join(fields) or "no settings at all"
        return Fault((*at, key), f"{what} has no setting `{key}`; it takes {valid}", nearest(key, fields), at_key=True)
    wanted = describe(_annotated(fields[key]))
    if item["type"] == "missing":
        return Fault(at, f"{what} needs `{key}`: {wanted}", help_of(fields[key]), at_key=True)
    # Beyond the key, a location holds indices and the tags of unions; the indices lead to the place in an array.
    inner = tuple(part for part in item["loc"][1:] if isinstance(part, int))
    return Fault((*at, key, *inner), f"`{key}` takes {wanted}, not {shown(item['input'])}", help_of(fields[key]))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """A hint with the valid name that looks most like the given one, if one does."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean `{close[0]}`?" if close else None


def help_of(field: FieldInfo) -> str | None:
    return f"{field.description}" if field.description else None


def shown(value: object) -> str:
    """A value as one would write it in TOML, cut to a readable length."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _annotated(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


_WORDS: dict[Any, tuple[str, str]] = {
    bool: ("true or false", "booleans"),
    int: ("an integer", "integers"),
    float: ("a number", "numbers"),
    str: ("text", "texts"),
    Path: ("a path", "paths"),
    type(None): ("nothing", "nothing"),
}


def describe(annotation: Any) -> str:
    """A type as words: `an integer of at least 1`, `"batch" or "none"`, `true or false, or a list of integers`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return f"{describe(arguments[0])}{_bounds(arguments[1:])}"
    if origin is Literal:
        return _either([shown(argument) for argument in arguments])
    if origin in (Union, types.UnionType):
        return ", or ".join(describe(argument) for argument in arguments if argument is not type(None))
    if origin in (list, Sequence):
        return f"a list of {_plural(arguments[0])}"
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"a list of {_plural(arguments[0])}"
        return f"a list of {len(arguments)} values, each {describe(arguments[0])}"
    if annotation in _WORDS:
        return _WORDS[annotation][0]
    return "a table"


def _plural(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        inner, *bounds = get_args(annotation)
        return f"{_plural(inner)}{_bounds(bounds)}"
    if get_origin(annotation) is Literal:
        return describe(annotation)
    return _WORDS[annotation][1] if annotation in _WORDS else "tables"


_BOUNDS = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below", "min_length": "at least"}


def _bounds(metadata: Iterable[Any]) -> str:
    items: list[Any] = []
    for item in metadata:
        items += item.metadata if isinstance(item, FieldInfo) else [item]
    words = [f"{word} {getattr(item, name)}" for item in items for name, word in _BOUNDS.items() if hasattr(item, name)]
    return f" {' and '.join(words)}" if words else ""


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
