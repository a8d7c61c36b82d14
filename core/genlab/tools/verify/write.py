"""A certificate as a file."""

from __future__ import annotations

from pathlib import Path

from genlab.errors import StorageError
from genlab.tools.verify.certificate import Certificate
from genlab.util.files import write_json, write_text


def refuse_unwritable(path: Path, *, overwrite: bool) -> None:
    """Raise a `StorageError` if a certificate cannot be written to a path, before the work."""
    if path.is_dir():
        raise StorageError("expected a file to write to, and this is a folder", where=str(path))
    if not path.parent.is_dir():
        raise StorageError("the folder to write to is missing", where=str(path.parent))
    if path.exists() and not overwrite:
        raise StorageError("the file already exists", where=str(path), hint="Replace it with --overwrite.")


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write a certificate, as JSON to a file whose name ends in `.json`, otherwise as Markdown."""
    if path.suffix.lower() == ".json":
        write_json(path, certificate.as_json())
    else:
        write_text(path, certificate.markdown())
