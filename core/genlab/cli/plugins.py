"""`gen plugins`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from genlab.cli.help import Verb, VerbGroup
from genlab.cli.options import JsonOption, PluginOption
from genlab.interfaces.kinds import KINDS

app = typer.Typer(cls=VerbGroup, help="List, inspect, check and create plugins.", no_args_is_help=True)

KindName = StrEnum("KindName", list(KINDS))
_KIND_NAMES = ", ".join(KINDS)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a component or package, or `package:name`.")]
KindOption = Annotated[
    KindName | None,
    typer.Option(metavar="KIND", help=f"Kind of the component, if the name is ambiguous: {_KIND_NAMES}."),
]


@app.command("list", cls=Verb)
def list_plugins(plugin: PluginOption = [], json: JsonOption = False) -> None:  # noqa: B006  (typer copies it)
    """List all components with their packages, and problems of plugins."""
    import genlab

    rows = genlab.list_plugins(plugins=plugin)
    if json:
        from genlab.cli.output import print_json

        print_json([row.as_dict() for row in rows])
    else:
        from genlab.cli.plugin_display import print_overview

        print_overview(rows)


@app.command(cls=Verb)
def show(name: NameArgument, kind: KindOption = None, plugin: PluginOption = [], json: JsonOption = False) -> None:  # noqa: B006
    """Show the settings of a component, with a snippet for a recipe."""
    import genlab
    from genlab.cli.output import load_torch, print_json
    from genlab.cli.plugin_display import print_reference

    load_torch()
    found = genlab.describe_components(name, kind, plugins=plugin)
    if json:
        print_json([{**entry._asdict(), "settings": [item._asdict() for item in entry.settings]} for entry in found])
        return
    for entry in found:
        print_reference(entry)


@app.command(cls=Verb)
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of a component or package, or `package:name`.")
    ] = None,
    kind: KindOption = None,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override a setting of the component. Repeatable.")
    ] = [],  # noqa: B006
    plugin: PluginOption = [],  # noqa: B006
    json: JsonOption = False,
) -> None:
    """Run the conformance tests of a component; without NAME, of all in the files of --plugin."""
    import genlab
    from genlab.cli.output import load_torch

    load_torch()
    from genlab.cli.check_display import print_checks, print_checks_as_json

    checks = genlab.check_components(name, kind, settings=settings, plugins=plugin)
    if not (print_checks_as_json if json else print_checks)(checks):
        raise typer.Exit(1)


@app.command(cls=Verb)
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the package, such as edge-aware.")],
    kind: Annotated[KindName, typer.Option(metavar="KIND", help=f"Kind of component: {_KIND_NAMES}.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Parent folder of the new package.")] = Path(),
) -> None:
    """Create a plugin: a package with a working component, tests and a recipe."""
    import genlab
    from genlab.cli.output import make_console, print_next
    from genlab.util.escapes import one_line

    folder = genlab.create_plugin(name, kind, out=out)
    make_console(soft_wrap=True).print(f"Created {one_line(str(folder))}, with a working {kind} to edit.\n")
    print_next(
        {
            "install it in editable mode": f"cd {quote(str(folder))} && pip install -e '.[test]'",
            "test it": "pytest",
            "train with it": "gen run recipe.toml",
        }
    )
