"""A listener for genlab that writes the figures of runs and ablations to CSV files."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.listener("csv", "genlab_csv.listener:CSV")
