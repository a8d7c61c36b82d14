"""Creation of a new plugin's package. Importing this imports no torch.

The templates are in `templates/`: files that all kinds of component share, and one folder per kind.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, PackageLoader, StrictUndefined

from genlab.config.validate import nearest
from genlab.errors import PluginError
from genlab.interfaces.kinds import KINDS, with_article
from genlab.registry import hooks
from genlab.registry.discovery.find import find_plugins
from genlab.registry.discovery.plugin import Plugin
from genlab.scaffold.names import Names, names_of
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.files import storage_errors


@checked_arguments
def create_plugin(name: str, kind: str, *, out: str | Path = ".") -> Path:
    """Create the package of a new plugin, which can be installed, tested and trained with as it is.

    Args:
        name: name of the component, such as `edge-aware`; the package is then `genlab-edge-aware`.
        kind: generator, discriminator, network, loss, dataset, augmentation, metric, method, optimizer, schedule or
            listener.
        out: parent folder of the package; created if missing.

    Returns:
        The package's folder.

    Raises:
        PluginError: the name is invalid or taken, or the kind is unknown.
        StorageError: the folder cannot be written.
    """
    if kind not in KINDS:
        what = f'unknown kind of component "{kind}"; the kinds are {", ".join(KINDS)}'
        raise PluginError(what, hint=nearest(kind, KINDS))
    names = names_of(name)
    target = as_path(out) / names.package
    _refuse_existing(target)
    _refuse_taken(names, kind, find_plugins())
    _write(target, _rendered(names, kind))
    return target


def _refuse_existing(target: Path) -> None:
    with storage_errors(target):
        is_there = target.exists() or target.is_symlink()
    if is_there:
        what = "the path already exists; nothing was written"
        raise PluginError(what, where=str(target), hint="Choose another name or --out.")


def _refuse_taken(names: Names, kind: str, plugins: Sequence[Plugin]) -> None:
    """Raise a `PluginError` if an installed plugin has the name, which would be ambiguous in a recipe."""
    for plugin in plugins:
        if any((entry.kind.name, entry.name) == (kind, names.component) for entry in plugin.registrations):
            raise _taken(names, f"{plugin} gives {with_article(kind)} of this name already")
        if plugin.name == names.component:
            raise _taken(names, f"{plugin} has a plugin of this name already")
    if importlib.util.find_spec(names.module):
        raise _taken(names, f"there is a module `{names.module}` already")


def _taken(names: Names, what: str) -> PluginError:
    return PluginError(what, where=names.component, hint="Choose another name.")


def _rendered(names: Names, kind: str) -> Mapping[str, str]:
    """Render each file, by its path in the package."""
    environment = Environment(
        loader=PackageLoader("genlab.scaffold"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    facts = {"names": names, "kind": kind, "a_kind": with_article(kind), "interface": hooks.INTERFACE}
    return {path: environment.get_template(source).render(facts) for path, source in _sources(names, kind).items()}


def _sources(names: Names, kind: str) -> Mapping[str, str]:
    """The template of each file, by the file's path in the package."""
    return {
        "pyproject.toml": "pyproject.toml.jinja",
        "README.md": f"{kind}/README.md.jinja",
        "recipe.toml": f"{kind}/recipe.toml.jinja",
        ".gitignore": "gitignore.jinja",
        ".github/workflows/test.yml": "test.yml.jinja",
        f"src/{names.module}/__init__.py": "plugin.py.jinja",
        f"src/{names.module}/{names.component}.py": f"{kind}/component.py.jinja",
        f"tests/test_{names.component}.py": f"{kind}/test.py.jinja",
    }


def _write(target: Path, texts: Mapping[str, str]) -> None:
    """Write files to a temporary folder and rename it (atomic write)."""
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as aside:
            folder = Path(aside, target.name)
            for path, text in texts.items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="\n")
            try:
                folder.rename(target)
            except OSError:
                _refuse_existing(target)  # another process may have created it meanwhile
                raise
