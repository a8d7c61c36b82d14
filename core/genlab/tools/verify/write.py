"""A certificate as a file."""

from __future__ import annotations

from pathlib import Path

from genlab.tools.verify.certificate import Certificate
from genlab.util.files import write_json, write_text


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write a certificate, as JSON to a file whose name ends in `.json`, otherwise as Markdown."""
    if path.suffix.lower() == ".json":
        write_json(path, certificate.as_json())
    else:
        write_text(path, certificate.markdown())
