"""`gen recipes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.help import Verb, VerbGroup
from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument

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
        print_data(escape_controls(listing(checked.tables(), checked.document)))


@app.command(cls=Verb)
def copy(
    recipe: RecipeArgument,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The new file, or a folder for it.")] = Path(),
) -> None:
    """Copy a recipe to edit it."""
    import genlab
    from genlab.cli.output import print_data

    print_data(str(genlab.copy_recipe(recipe, to)))
