"""`gen data`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument

if TYPE_CHECKING:
    from genlab.tools.data_report import DataReport
    from genlab.tools.split_report import SplitReport


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
        print_json({**_as_json(found), "sheet": str(sheet)})
        return
    _print(found)
    make_console(soft_wrap=True).print(f"A few of them, as networks see them: {sheet}\n")


def _as_json(found: DataReport) -> dict[str, Any]:
    splits = {
        name: {
            "description": split.description,
            "pairs": split.pairs,
            "images": split.images,
            "a": split.a,
            "b": split.b,
            "sizes": split.sizes,
            "repeated": split.repeated,
            "statistics": split.statistics,
            "ignored": split.ignored,
            "ignored_pairs": split.ignored_pairs,
            "suspicions": [suspicion._asdict() for suspicion in split.suspicions],
        }
        for name, split in found.splits.items()
    }
    return {
        "source": found.source,
        "reason": found.reason,
        "left_out": found.left_out,
        "splits": splits,
        "shared": found.shared,
    }


def _print(found: DataReport) -> None:
    from genlab.cli.data_display import print_statistics, print_suspicions, print_warning
    from genlab.cli.output import make_console, print_table
    from genlab.images.folder import describe_left_out

    console = make_console(soft_wrap=True)
    console.print()
    for line in (found.source, found.reason, *(split.description for split in found.splits.values())):
        if line:
            console.print(line)
    if found.left_out:
        console.print(f"Left out: {describe_left_out(found.left_out)}")
    console.print()
    rows = [(name, _count(split), split.a, split.b, _listed(split.sizes)) for name, split in found.splits.items()]
    print_table(("split", "pairs", "side a", "side b", "height x width"), rows, right=("pairs",))
    console.print()
    print_statistics({name: split.statistics for name, split in found.splits.items()})
    print_suspicions({name: split.suspicions for name, split in found.splits.items()})
    for name, split in found.splits.items():
        if split.ignored is not None:
            console.print(f"Pixels of {name} that do not count: {split.ignored:.1%}\n")
        if split.ignored_pairs:
            what = f"pairs of which no pixel counts: {len(split.ignored_pairs)} ({_some(split.ignored_pairs)})"
            print_warning(f"in {name}, {what}")
        if split.repeated:
            what = f"{_noun(split)} that equal another one: {len(split.repeated)} ({_some(split.repeated)})"
            print_warning(f"in {name}, {what}")
    if found.shared:
        noun = _noun(found.splits["validation"])
        print_warning(
            f"validation {noun} that are training {noun} too: {len(found.shared)} ({_some(found.shared)}), on which"
            " validation does not measure generalization."
        )


def _count(split: SplitReport) -> str:
    """Number of pairs, or of each side's images."""
    if split.pairs is not None:
        return f"{split.pairs:,}"
    return ", ".join(f"{side}: {count:,}" for side, count in split.images.items())


def _noun(split: SplitReport) -> str:
    return "images" if split.pairs is None else "pairs"


def _listed(sizes: Mapping[str, int]) -> str:
    """Sizes with their counts, the frequent ones first."""
    if len(sizes) == 1:
        return next(iter(sizes))
    first = ", ".join(f"{size} ({count:,})" for size, count in list(sizes.items())[:3])
    return first + (f" and {len(sizes) - 3:,} other sizes" if len(sizes) > 3 else "")


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")


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
