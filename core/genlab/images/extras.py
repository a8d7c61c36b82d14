"""Readers that are installed as extras."""

from __future__ import annotations

import importlib
from types import ModuleType

from genlab.errors import DataError
from genlab.util.extras import install_extra


def require_tiff_extra(module: str, what: str, where: str) -> ModuleType:
    """Import a reader of the extra `genlab[tiff]`.

    Args:
        module: tifffile or imagecodecs.
        what: the kind of image that needs it.
        where: the image.

    Raises:
        DataError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        hint = f"Install it: {install_extra('tiff')}. Or save the images as .npy files, which need none."
        raise DataError(f"{what} is read by {module}, which is not installed", where=where, hint=hint) from error
