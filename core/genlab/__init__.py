"""Experiments with image-to-image generative models, put together from plugins.

The public names are those of `__init__.pyi`. Importing this imports no torch: a name is loaded when it is first used.
"""

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"

_RENAMED_CLASSES = {"Shared": "Outputs", "Values": "StepMetrics"}


def __getattr__(name: str) -> object:
    if name in _RENAMED_CLASSES:
        # Python would replace an AttributeError of `from genlab import Shared` by one that does not say this.
        raise ImportError(f"genlab.{name} is called genlab.{_RENAMED_CLASSES[name]} now")
    return _load(name)
