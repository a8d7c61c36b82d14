"""Experiments with image-to-image generative models, put together from plugins.

The public names are those of `__init__.pyi`. Importing this imports no torch: a name is loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
__all__ += ["__version__"]
