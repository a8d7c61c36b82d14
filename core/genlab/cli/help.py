"""Help pages, and `gen help`."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup
from typing_extensions import override


class Verb(TyperCommand):
    """A command whose help shows types only where a value is chosen from some."""

    @override
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


class VerbGroup(TyperGroup):
    """A command of commands, with the same help."""

    @override
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


def _without_types(parameters: list[Any]) -> list[Any]:
    """Parameters without the types that typer shows of flags, which take no value, and of arguments."""
    for parameter in parameters:
        if isinstance(parameter, TyperArgument):
            parameter.display_type_rich = lambda ctx: ""  # noqa: ARG005
        elif parameter.is_flag:
            parameter.metavar = ""
    return parameters


def _complete_verb(context: typer.Context) -> list[str]:
    group: Any = context.find_root().command
    for word in context.params.get("verb") or ():
        group = getattr(group, "commands", {}).get(word)
    return list(getattr(group, "commands", {}))


def help_page(
    context: typer.Context,
    verb: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERB", help="Such as run, or plugins new.", autocompletion=_complete_verb),
    ] = None,
) -> None:
    """Show the help of a verb."""
    root = context.find_root()
    cast(TyperGroup, root.command).main([*(verb or []), "--help"], prog_name=root.info_name)
