"""Pictures of what the generator makes, in the run's folder."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from typing_extensions import override

from genlab import Listener, Previewed, Started, contact_sheet


class Previews(Listener):
    """Writes `previews/<step>.png` in the run's folder: one row a pair, with condition, prediction and target."""

    @override
    def started(self, event: Started) -> None:
        self._folder = event.folder / "previews"
        self._folder.mkdir(exist_ok=True)
        for file in self._folder.glob("*.png"):
            # An interrupted run may have written previews after the checkpoint that it resumes from.
            if file.stem.isdecimal() and int(file.stem) > event.step:
                file.unlink()

    @override
    def previewed(self, event: Previewed) -> None:
        _save(contact_sheet(event.pictures.columns), self._folder / f"{event.step:06}.png")


def _save(sheet: Image.Image, file: Path) -> None:
    aside = file.with_name(f".{file.name}.tmp")
    try:
        sheet.save(aside, format="PNG")
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
