"""Files of `torch.export`, which PyTorch reads without genlab."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from genlab.tools.export.trace import without_warnings


def encode_torch(program: ExportedProgram, description: Mapping[str, Any]) -> bytes:
    """Content of a file of a trace, with its description as the extra file `genlab.json`."""
    content = BytesIO()
    with without_warnings():
        torch.export.save(program, content, extra_files={"genlab.json": json.dumps(description)})
    return content.getvalue()


def load_torch_program(content: bytes) -> Callable[[Tensor], Tensor]:
    """Load such a file."""
    with without_warnings():
        module = torch.export.load(BytesIO(content)).module()

    def predict(images: Tensor) -> Tensor:
        with torch.no_grad(), without_warnings():
            return module(images)

    return predict
