"""Check of the interface version that a plugin declares."""

from __future__ import annotations

import re

from genlab.errors import PluginError
from genlab.registry import hooks

# In Python's and lazy_loader's sentences on a missing name of `genlab` or of a module below it.
_OF_GENLAB = re.compile(r"'genlab['.]|No genlab attribute")

VERSION = "genlab_interface"
"""The name in a plugin's module."""


def check_version(made_for: object, is_needed: bool) -> None:
    """Check that a plugin is made for this interface: the same major version, and no later minor one."""
    if made_for is None:
        if is_needed:
            what = "it does not say which version of the interface it is made for"
            raise PluginError(f'{what}; for this one, write `{VERSION} = "{hooks.INTERFACE}"` in its module')
        return
    if not (isinstance(made_for, str) and re.fullmatch(r"\d+\.\d+", made_for)):
        raise PluginError(f'its `{VERSION}` is {made_for!r}; expected text such as "{hooks.INTERFACE}"')
    (major, minor), (our_major, our_minor) = _numbers(made_for), _numbers(hooks.INTERFACE)
    what = f"it is made for version {made_for} of the interface, and this genlab has {hooks.INTERFACE}"
    if (major, minor) > (our_major, our_minor):
        raise PluginError(f"{what}; a newer genlab is needed, or an older version of the plugin")
    if major < our_major:
        raise PluginError(f"{what}; a newer version of the plugin is needed, or an older genlab")


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def version_hint(error: BaseException) -> str:
    """Hint at a later interface version if a plugin fails on a missing name of genlab."""
    misses_a_name = isinstance(error, ImportError | AttributeError) and _OF_GENLAB.search(str(error))
    if not misses_a_name or isinstance(error, ModuleNotFoundError):
        return ""
    return f"; this genlab has version {hooks.INTERFACE} of the interface; the plugin may require a later one"
