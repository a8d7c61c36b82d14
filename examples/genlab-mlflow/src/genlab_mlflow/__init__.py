"""A listener for genlab that tracks runs in MLflow."""

import os

import genlab

genlab_interface = "1.0"

# No telemetry, and no minutes of waiting for a server that is down; what the user has set stays.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.listener("mlflow", "genlab_mlflow.listener:MLflow")
