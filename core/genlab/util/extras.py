"""Extras of the package, which are installed beside it."""

from __future__ import annotations


def install_extra(name: str) -> str:
    """The command that adds an extra to the installed genlab, wherever that is from: pip looks for no other one."""
    return f"pip install 'genlab[{name}]'"
