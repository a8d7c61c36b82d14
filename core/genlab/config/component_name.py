"""Names of components in recipes: `name`, or `package:name` where several packages may give it."""

from __future__ import annotations

import re
from typing import NamedTuple

from typing_extensions import override


class ComponentName(NamedTuple):
    """A component's name.

    Args:
        package: the package that gives it, or a plugin file's name; empty if the name alone identifies it.
        name: its name there.
    """

    package: str
    name: str

    @staticmethod
    def parse(text: str) -> ComponentName:
        """Split `name` or `package:name`."""
        package, _, name = text.rpartition(":")
        return ComponentName(package, name)

    @override
    def __str__(self) -> str:
        return f"{self.package}:{self.name}" if self.package else self.name


def is_other_name(before: object, now: object) -> bool:
    """True if two names, as a recipe gives them, are of different components.

    A name without a package can be of any package: `unet` may be `genlab:unet`.
    """
    if not (isinstance(before, str) and isinstance(now, str)):
        return before != now
    one, other = ComponentName.parse(before), ComponentName.parse(now)
    packages = {canonical(name.package) for name in (one, other) if name.package}
    return one.name != other.name or len(packages) > 1


def canonical(package: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", package).lower()
