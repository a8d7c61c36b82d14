"""Figures, pictures and texts in the form that TensorBoard reads.

Made from TensorBoard's own messages: importing PyTorch's or TensorFlow's writers takes seconds.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping
from textwrap import indent

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.custom_scalar import metadata as custom_scalars
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.text import metadata as text


def scalar_value(tag: str, scalar: float) -> Summary.Value:
    """A scalar's summary value."""
    return Summary.Value(tag=tag, simple_value=scalar)


def picture_value(tag: str, pixels: NDArray[np.uint8]) -> Summary.Value:
    """A picture from an array (height, width, 3)."""
    height, width, _ = pixels.shape
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, format="PNG")
    picture = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png.getvalue())
    return Summary.Value(tag=tag, image=picture)


def code_value(tag: str, code: str) -> Summary.Value:
    """A text shown as it is."""
    return _text_value(tag, indent(code, "    "))


def table_value(tag: str, rows: Mapping[str, str]) -> Summary.Value:
    """Names and values as a table of two columns, the first row of which is its head."""
    head, *rest = [f"| {_literal(name)} | {_literal(value)} |" for name, value in rows.items()]
    return _text_value(tag, "\n".join([head, "|---|---|", *rest]))


def layout_value(layout: Layout) -> Summary.Value:
    """Layout of the Custom Scalars page; the last one written counts."""
    metadata = custom_scalars.create_summary_metadata()
    return _string_value(custom_scalars.CONFIG_SUMMARY_TAG, layout.SerializeToString(), metadata)


def _text_value(tag: str, markdown: str) -> Summary.Value:
    return _string_value(tag, markdown.encode(), text.create_summary_metadata(display_name="", description=""))


def _string_value(tag: str, content: bytes, metadata: SummaryMetadata) -> Summary.Value:
    return Summary.Value(tag=tag, metadata=metadata, tensor=TensorProto(dtype=DT_STRING, string_val=[content]))


def _literal(words: str) -> str:
    """Words that mean nothing to Markdown and fit into a table's cell."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~-])", r"\\\1", html.escape(" ".join(words.split()), quote=False))
