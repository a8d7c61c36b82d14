"""A run's settings, figures, pictures and files in MLflow."""

from genlab import Ended, Listener, Previewed, Started, Step, Validated, contact_sheet

from genlab_mlflow.tracked_run import TrackedRun

STATUS = {"finished": "FINISHED", "paused": "SCHEDULED", "interrupted": "KILLED", "failed": "FAILED"}


class MLflow(Listener):
    """Tracks a run in MLflow: parameters of the recipe, losses and metrics by step, pictures and files, and the status.

    Args:
        experiment: the MLflow experiment of the run; created if missing.
        tracking_uri: MLflow's store, such as `sqlite:////data/mlflow.db` or `http://localhost:5000`; empty for the file
            `mlflow.db` beside the run's folder.
    """

    def __init__(self, *, experiment: str = "genlab", tracking_uri: str = "") -> None:
        self.experiment = experiment
        self.tracking_uri = tracking_uri

    def started(self, event: Started) -> None:
        self._folder = event.folder
        self._run = TrackedRun(event.folder, self.experiment, self.tracking_uri)
        self._run.set_recipe(event.recipe)

    def step(self, event: Step) -> None:
        if (values := event.values) is None:
            return
        groups = {
            "loss": values.losses,
            "loss_weight": values.loss_weights,
            "learning_rate": values.learning_rates,
            "gradient_norm": values.total_gradient_norms,
            "speed": {"images_per_second": values.images_per_second, "waiting_for_data": values.waiting},
        }
        figures = {f"{group}/{name}": value for group, named in groups.items() for name, value in named.items()}
        self._run.add_metrics(event.step, figures)

    def validated(self, event: Validated) -> None:
        self._run.add_metrics(event.step, event.metrics)

    def previewed(self, event: Previewed) -> None:
        self._run.add_picture(f"previews/{event.step:06}.png", contact_sheet(event.pictures.columns))

    def ended(self, event: Ended) -> None:
        reports = (file for ending in ("jsonl", "csv", "md", "html") for file in self._folder.glob(f"*.{ending}"))
        self._run.end(STATUS[event.status], reports)
