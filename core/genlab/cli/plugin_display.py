"""Plugins and their components in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markdown import Markdown
from rich.text import Text

from genlab.cli.output import make_console, print_table
from genlab.registry.discovery.overview import PluginRow
from genlab.registry.documentation import ComponentDocs


def print_overview(rows: Sequence[PluginRow]) -> None:
    """Print all components as a table, and problems below it."""
    heads = ("kind", "name", "package", "version", "import", "state")
    print_table(heads, [_cells(row) for row in rows], right=("import",))
    console = make_console(soft_wrap=True)
    for why in dict.fromkeys(f"{row.plugin}, `{row.plugin.name}`: {row.why}" for row in rows if row.why):
        console.print(Text(f"\n{why}"))


def _cells(row: PluginRow) -> tuple[str, ...]:
    plugin = row.plugin
    seconds = "-" if plugin.is_left_out else f"{1000 * plugin.seconds:,.0f} ms"
    return (row.kind or "-", row.name, plugin.package, plugin.version or "-", seconds, row.state)


def print_reference(found: ComponentDocs) -> None:
    """Print the documentation of a component."""
    console = make_console()
    console.print(Text(f'\n{found.kind} "{found.name}"', "bold").append(f"  {found.origin}\n", "dim"))
    console.print(Markdown(found.about), width=min(console.width, 100))
    console.print()
    if found.preset:
        fixed = ", ".join(f"{name} = {value}" for name, value in found.preset.items())
        console.print(Text(f"Under this name, {fixed} is fixed.\n"))
    if found.settings:
        rows = [(entry.name, entry.type, entry.default or "to be given", entry.help) for entry in found.settings]
        print_table(("setting", "takes", "default", ""), rows)
    else:
        console.print("It has no settings.")
    console.print(Text("\nIn a recipe:\n", "dim"))
    make_console(soft_wrap=True).print(Text(found.snippet + "\n"))
