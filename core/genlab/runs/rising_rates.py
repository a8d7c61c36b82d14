"""Warning of learning rates that rise where a run is resumed with other settings."""

from __future__ import annotations

import logging

from genlab.assemble.recipe import Recipe
from genlab.assemble.update_rules import rates_at
from genlab.interfaces.position import Position

_log = logging.getLogger("genlab")


def warn_of_rising_rates(before: Recipe, after: Recipe, done: int) -> None:
    """Warn of rates above those of the last step, unless the recipe raises them there, as in a warm-up.

    Args:
        before: the recipe until now.
        after: from here on.
        done: how many steps are done.
    """
    old, new = before.settings.train.steps, after.settings.train.steps
    last, planned = (rates_at(before, Position(step, old)) for step in (max(done - 1, 0), done))
    rising: dict[tuple[float, float], list[str]] = {}
    for role, rate in rates_at(after, Position(done, new)).items():
        if rate > max(last[role], planned[role]):
            rising.setdefault((last[role], rate), []).append(role)
    for (was, rate), roles in rising.items():
        _log.warning(
            "The learning rate rises from %.3g to %.3g (%s): after step %s, it follows the %s schedule of %s steps.",
            *(was, rate, ", ".join(roles), f"{done:,}"),
            *(after.schedules[roles[0]].config.component.name, f"{new:,}"),
        )
