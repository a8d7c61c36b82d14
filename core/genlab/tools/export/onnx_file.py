"""ONNX files, by the extra `genlab[onnx]`."""

from __future__ import annotations

import importlib
import json
import logging
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from genlab.errors import PluginError, RunError
from genlab.tools.export.trace import without_warnings
from genlab.util.extras import install_extra

_MOST_BYTES = 2**31 - 2**20
"""The most that Protocol Buffers hold, less the graph."""


class UnsupportedOperator(PluginError):  # noqa: N818  (an error, by its base)
    """An operator of the networks that ONNX does not have."""


def require_onnx_extra() -> None:
    """Raise a `PluginError` if what writes and runs ONNX files is not installed."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            what = f"ONNX files are written and checked with {module}, which is not installed"
            hint = f"Install it: {install_extra('onnx')}. Or use --format torch."
            raise PluginError(what, hint=hint) from error


def encode_onnx(program: ExportedProgram, description: Mapping[str, Any]) -> bytes:
    """Convert a trace to ONNX, with a description in its metadata.

    Raises:
        UnsupportedOperator: ONNX has no such operator.
        RunError: the weights are larger than an ONNX file can be.
        Exception: of any kind: it cannot be converted with the freedom that it has.
    """
    weights = sum(tensor.numel() * tensor.element_size() for tensor in program.state_dict.values())
    if weights > _MOST_BYTES:
        what = f"the weights have {weights:,} bytes, and an ONNX file holds 2 GiB"
        raise RunError(what, hint="Use --format torch, which has no such limit.")
    with without_warnings(), _without_messages("torch.onnx"):
        try:
            converted: Any = torch.onnx.export(program, dynamo=True, verbose=False)
        except Exception as error:
            if names := _unsupported(error):
                what = f"ONNX has no operator for {', '.join(names)}, which the networks use"
                hint = "Use --format torch, which has all operators of PyTorch, or a network without it."
                raise UnsupportedOperator(what, hint=hint) from error
            raise
        graph = converted.model.graph
        _name_dimensions(graph.inputs[0], "condition")
        _name_dimensions(graph.outputs[0], "prediction")
        texts = {key: it if isinstance(it, str) else json.dumps(it) for key, it in description.items()}
        converted.model.metadata_props.update(texts)
        return converted.model_proto.SerializeToString()


def load_onnx(content: bytes) -> Callable[[Tensor], Tensor]:
    """Load an ONNX file with onnxruntime, on the CPU."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"condition": images.numpy()})[0])


def _name_dimensions(value: Any, name: str) -> None:
    """Name an input or output, and those of its dimensions that are not fixed."""
    value.name = name
    for index, of in enumerate(("batch", "channels", f"{name} height", f"{name} width")):
        if not isinstance(value.shape[index], int):
            value.shape[index] = of


def _unsupported(error: BaseException | None) -> list[str]:
    """Names of the operators that an error of the converter says are missing."""
    while error is not None:
        if found := re.findall(r"No ONNX function found for <OpOverload\(op='([^']+)'", str(error)):
            return sorted({name.replace(".default", "") for name in found})
        error = error.__cause__
    return []


@contextmanager
def _without_messages(name: str) -> Generator[None]:
    """Context in which a logger of a library shows errors only."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
