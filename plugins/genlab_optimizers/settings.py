"""Types of settings."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

Positive = Annotated[float, Gt(0), Lt(math.inf)]
Amount = Annotated[float, Ge(0), Lt(math.inf)]
Decay = Annotated[float, Ge(0), Lt(1)]
UpToOne = Annotated[float, Ge(0), Le(1)]
