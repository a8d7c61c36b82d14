"""Listeners that need nothing but the terminal and the run's folder."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.listener("console", "genlab_listeners.console:Console")
    registry.listener("jsonl", "genlab_listeners.jsonl:JSONLines")
    registry.listener("previews", "genlab_listeners.previews:Previews")
