"""Interface of plugins: pluggy hooks, the interface's version, and the marker of a plugin's implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from genlab.registry.registry import Registry

GROUP = "genlab"

INTERFACE = "1.0"
"""The version of the interface between genlab and its plugins; `docs/interface.md` says what may change when."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def genlab_register(registry: Registry) -> None:
    """Register components by name: `registry.generator("unet", "genlab_pix2pix.unet:UNet")`.

    The second argument is where the class is, as `module:Class`, so that listing components imports none of them;
    the class itself works too.
    """
