"""A run as one flat row of a table: what `runs --json` prints."""

from typing import Any

from mnist_core.models import recipe_of
from mnist_core.runs.about import about
from mnist_core.runs.run import Run

FIGURES: tuple[str, ...] = ("epochs_done", "best_epoch", "validation_accuracy", "test_accuracy")
FIGURES += ("validation_loss", "test_loss", "validation_top5", "test_top5", "seconds")
FIGURES += ("parameters", "macs", "receptive_field", "weights_bytes", "weights_sha256")
FIGURES += ("parent", "device", "threads", "engine", "data_fingerprint", "data_note", "note")


def run_row(run: Run) -> dict[str, Any]:
    """Config and figures by name, the recipe's name included; a missing figure is None."""
    config, summary = run.config, run.summary
    return {
        "id": run.id,
        "dataset": config.dataset,
        "model": config.model,
        "recipe": recipe_of(config),
        "group": config.group,
        "state": run.state.value,
        "has_weights": run.has_weights,
        **{name: getattr(summary, name) for name in FIGURES},
        **_said(run),
        **{k: v for k, v in config.to_dict().items() if k not in ("dataset", "model")},
        "epochs": config.own_epochs,
    }


def _said(run: Run) -> dict[str, Any]:
    """What people say of the run; its own `note` says why it ended."""
    said = about(run)
    return {"label": said.label, "tags": list(said.tags), "archived": said.archived}
