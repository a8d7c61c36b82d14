"""Progress of a run as text: step, speed, ETA."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from genlab_listeners.step_time import StepTime


class Progress:
    """Progress after any step.

    Args:
        step: steps done so far.
        steps: steps in all.
        batch_size: images per step.
        pace: how fast they go.

    Attributes:
        losses: the last that were read.
        losses_step: the step that these are of.
    """

    def __init__(self, step: int, steps: int, batch_size: int, pace: StepTime) -> None:
        self.step = step
        self.steps = steps
        self.pace = pace
        self.losses: Mapping[str, float] = {}
        self.losses_step = step
        self._batch_size = batch_size

    @property
    def tenth(self) -> int:
        """Tenths of the run that are done."""
        return 10 * self.step // self.steps

    @property
    def count(self) -> str:
        """Steps done, of all."""
        return f"{in_column(self.step, self.steps)}/{self.steps}"

    @property
    def rate(self) -> str:
        """Recent throughput in images per second."""
        seconds = self.pace.seconds_per_step
        if not seconds:
            return ""
        rate = self._batch_size / seconds
        return f"{rate:,.0f} images/s" if rate >= 100 else f"{rate:.3g} images/s"

    @property
    def left(self) -> str:
        """ETA in words."""
        seconds = self.pace.seconds_for(self.steps - self.step)
        return "" if seconds is None else f"{clock(seconds)} left"

    @property
    def loss_terms(self) -> Text:
        """The terms of each phase, such as `generator adversarial 0.7 l1 0.3`."""
        phases: dict[str, dict[str, float]] = {}
        for key, value in self.losses.items():
            phase, _, term = key.partition("/")
            phases.setdefault(phase, {})[term] = value
        return Text("   ").join(figures(phase, terms) for phase, terms in phases.items())


def figures(title: str, values: Mapping[str, float]) -> Text:
    """Values after their names, which are the quieter part; what several of them are of is said once."""
    words: list[Text] = []
    group = ""
    for name, value in values.items():
        shown = name.removeprefix(f"{group}/") if group else name
        group = name.rpartition("/")[0]
        words.append(Text.assemble((f"{printable(shown)} ", "dim"), f"{value:.4g}"))
    return Text.assemble((f"{printable(title)} ", "dim"), Text("  ").join(words))


def printable(text: str) -> str:
    r"""Text from a recipe on one line, with escapes such as `\u001b` for characters that would move the cursor."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else f"\\u{ord(letter):04x}" for letter in text
    )


def in_column(step: int, steps: int) -> str:
    """A step as wide as the last one will be, so that lines stay aligned."""
    return f"{step:>{len(str(steps))}}"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, such as `1:02:03` or `0:05`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
