"""Schema of a recipe's `[init.ROLE]`. Importing this imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import MinLen
from pydantic import Field, create_model, model_validator

from genlab.config.schema import Table
from genlab.util.arguments import as_path


class Init(Table):
    """`[init.ROLE]`: what the network of a role starts with, and what of it stays as it is.

    Weights are taken by name and shape; all others are drawn as in any run.
    """

    role: Annotated[str, MinLen(1)] | None = None
    """The role in that run whose weights are taken; the same one by default."""
    weights: Literal["auto", "plain", "ema"] = "auto"
    """The weights of that run as they were trained, or their average (ema); auto takes the average if there is one."""
    checkpoint: Literal["last", "best"] | Annotated[int, Field(ge=0)] = "last"
    """The checkpoint of that run: the last, the best by its `checkpoint.best`, or that of a step."""
    freeze: bool | list[str] = False
    """Weights that are not trained: true for the whole network, or a list of its levels, as `gen show` names them."""

    @model_validator(mode="after")
    def _has_source(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("it needs `from`, a run or a safetensors file to start with, or `freeze`")
        for key in ("role", "weights", "checkpoint"):
            if self.source is None and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"`{key}` needs `from`, the run that it belongs to")
        return self

    @property
    def source(self) -> Path | None:
        """The path that `from` names."""
        return getattr(self, "from")

    def absolute(self) -> Self:
        """The table with an absolute path, so that it means the same in every working directory."""
        return self.model_copy(update={"from": as_path(self.source).absolute()}) if self.source else self


InitTable = create_model(
    "InitTable",
    __base__=Init,
    __doc__=Init.__doc__,
    **{
        "from": (  # pyright: ignore
            Path | None,
            Field(None, description="The folder of a run, or a safetensors file, whose weights it starts with."),
        )
    },
)
