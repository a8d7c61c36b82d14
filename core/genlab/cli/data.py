"""`gen data`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument


class CacheVerb(StrEnum):
    """Action on the cache of pairs."""

    SHOW = "show"
    CLEAR = "clear"


def data(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    plugin: PluginOption = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of the contact sheet. By default RECIPE_data.png.")
    ] = None,
    cache: Annotated[
        CacheVerb | None,
        typer.Option(help="Show or clear this machine's cache of decoded pairs, and exit."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check and summarize a recipe's data: read every pair, report what is suspicious, and draw a contact sheet."""
    if cache:
        _cache(recipe, overrides, plugin, clear=cache is CacheVerb.CLEAR, json=json)
        return
    import genlab
    from genlab.cli.data_display import data_report_as_json, print_data_report
    from genlab.cli.output import make_console, print_json, progress_bar
    from genlab.config.load import find_recipe
    from genlab.drawing.contact_sheet import contact_sheet
    from genlab.errors import StorageError
    from genlab.util.files import atomic_write, storage_errors

    sheet = out or Path(f"{find_recipe(recipe).stem}_data.png")
    with storage_errors(sheet):
        is_there, is_writable = sheet.exists() or sheet.is_symlink(), sheet.parent.is_dir() and not sheet.is_dir()
    if not is_writable:
        hint = "--out takes the name of a file, in a folder that is there."
        raise StorageError("no picture can be written there", where=str(sheet), hint=hint)
    if out and (is_there or out.suffix.lower() != ".png"):
        what = "this file exists already" if is_there else "the contact sheet is a PNG"
        raise StorageError(what, where=str(out), hint="Give --out the name of a new file that ends in .png.")
    with progress_bar("pairs") as on_progress:
        found = genlab.inspect_data(
            recipe,
            overrides=overrides,
            plugins=plugin,
            on_progress=on_progress,
        )
    with atomic_write(sheet) as aside:
        contact_sheet(found.pictures).save(aside, "PNG")
    if json:
        print_json({**data_report_as_json(found), "sheet": str(sheet)})
        return
    print_data_report(found)
    make_console(soft_wrap=True).print(f"A few of them, as networks see them: {sheet}\n")


def _cache(recipe: str, overrides: Sequence[str], plugins: Sequence[Path], *, clear: bool, json: bool) -> None:
    from rich.filesize import decimal

    import genlab
    from genlab.cli.output import make_console, print_json, print_table

    kept = genlab.clear_cache() if clear else genlab.inspect_cache(recipe, overrides=overrides, plugins=plugins)
    if json:
        print_json(kept)
        return
    console = make_console(soft_wrap=True)
    if kept is None:
        console.print("There is no cache of pairs: GENLAB_CACHE is `off`.")
        return
    size = sum(entry.bytes for entry in (*kept.mine, *kept.others))
    if clear:
        console.print(f"{decimal(size)} are removed from {kept.folder}.")
        return
    console.print(f"\n{decimal(size)} in {kept.folder}, and at most {kept.most / 2**30:g} GiB\n")
    rows = [
        (mark, decimal(entry.bytes), datetime.fromtimestamp(entry.used).strftime("%Y-%m-%d %H:%M"), entry.description)
        for mark, entries in (("yes", kept.mine), ("", kept.others))
        for entry in entries
    ]
    print_table(("this recipe", "size", "last used", "pairs of"), rows, right=("size",))
    console.print()
