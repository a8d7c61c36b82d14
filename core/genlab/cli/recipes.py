"""`gen recipes`."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from genlab.cli.help import Verb, VerbGroup
from genlab.cli.options import JsonOption, OverridesOption, OverwriteOption, PluginOption, RecipeArgument

app = typer.Typer(cls=VerbGroup, help="List, show and copy built-in recipes.", no_args_is_help=True)


@app.command("list", cls=Verb)
def list_recipes(json: JsonOption = False) -> None:
    """List built-in recipes with their titles."""
    import genlab
    from genlab.cli.output import print_json, print_table

    titles = genlab.list_recipes()
    if json:
        print_json([{"name": name, "title": title} for name, title in titles.items()])
    else:
        print_table(("name", "title"), list(titles.items()))


@app.command(cls=Verb)
def show(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    plugin: PluginOption = [],  # noqa: B006
    json: JsonOption = False,
) -> None:
    """Print a resolved recipe: every value, and where it was set."""
    import genlab
    from genlab.cli.output import load_torch, print_data, print_json
    from genlab.config.render import listing
    from genlab.util.escapes import escape_controls

    load_torch()
    checked = genlab.read_recipe(recipe, overrides=overrides, plugins=plugin)
    if json:
        print_json(checked.tables())
    else:
        # In a string of TOML, an escape is the character itself.
        print_data(escape_controls(listing(checked.tables(), checked.origin)))


@app.command(cls=Verb)
def copy(
    recipe: RecipeArgument,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The new file, or a folder for it.")] = Path(),
) -> None:
    """Copy a recipe to edit it, with a schema beside it, by which editors complete and check."""
    import genlab
    from genlab.cli.output import load_torch, print_data
    from genlab.config.copy import SCHEMA_FILE

    copied = genlab.copy_recipe(recipe, to)
    schema_file = copied.with_name(SCHEMA_FILE)
    if not schema_file.exists():
        load_torch()
        _write_schema(genlab.recipe_schema(), schema_file)
    print_data(str(copied))


@app.command(cls=Verb)
def schema(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to a file.")] = None,
    overwrite: OverwriteOption = False,
    plugin: PluginOption = [],  # noqa: B006  (typer copies it)
) -> None:
    """Print the JSON Schema of recipes, from the components that are installed."""
    import genlab
    from genlab.cli.output import load_torch, print_data, print_json
    from genlab.errors import GenlabError

    if out is not None and out.exists() and not overwrite:
        hint = "Choose another --out; or replace it: --overwrite."
        raise GenlabError("the file already exists; nothing was written", where=str(out), hint=hint)
    load_torch()
    found = genlab.recipe_schema(plugins=plugin)
    if out is None:
        print_json(found)
    else:
        _write_schema(found, out)
        print_data(str(out))


def _write_schema(found: dict[str, Any], out: Path) -> None:
    from genlab.util.files import atomic_write, storage_errors

    with storage_errors(out), atomic_write(out) as partial:
        partial.write_text(dumps(found, indent=1) + "\n", encoding="utf-8")
