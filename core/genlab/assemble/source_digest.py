"""Digests (content hashes) of the code that a result depends on."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable
from itertools import accumulate
from pathlib import Path

# Packages of the core that a result depends on. Others read a recipe, whose values are compared directly, or they
# start, watch, show and compare trainings.
_COMPUTING = ("assemble", "data", "engine", "images", "interfaces")


def digests(modules: Iterable[str]) -> dict[str, str]:
    """Digests of the Python files of the core and of the given modules' packages, by package."""
    found = {"genlab": Path(__file__).parents[1] / "__init__.py"}
    found |= dict(place for module in modules if (place := _package_of(module)))
    return {name: _digest(found[name], _COMPUTING if name == "genlab" else None) for name in sorted(found)}


def _package_of(module: str) -> tuple[str, Path] | None:
    """The outermost package of a module that has code: several distributions may share a namespace, which has none."""
    names = accumulate(module.split("."), lambda outer, inner: f"{outer}.{inner}")
    files = ((name, getattr(sys.modules.get(name), "__file__", None)) for name in names)
    return next(((name, Path(file)) for name, file in files if file), None)


def _digest(module: Path, packages: Collection[str] | None) -> str:
    root = module.parent
    # An editor's lock file is a dangling symlink.
    files = sorted(filter(Path.is_file, root.rglob("*.py"))) if module.name == "__init__.py" else [module]
    digest = hashlib.sha256()
    for file in files:
        path = file.relative_to(root)
        if packages is None or path.parts[0] in packages:
            digest.update(path.as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
