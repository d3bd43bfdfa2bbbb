"""Run folders made without training, and so without torch: what pages and tables are shown."""

import math
import socket
import time
from dataclasses import replace

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.models import create_model_for, make_config
from mnist_core.models.grid import AXES, opening_config
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training import cost

FINGERPRINT = "0123456789abcdef"
# parameters, multiply-accumulates, receptive field
FIGURES = {
    "custom": (5_994, 322_560, 14),
    "lenet5": (61_706, 416_520, 14),
    "lenet5-1998": (61_706, 416_520, 32),
    "mynetv1": (9_172_350, 24_170_664, 13),
    "mynetv2": (75_098, 1_624_200, 21),
    "myvggnet": (287_642, 8_166_592, 32),
    "pytorch-example": (1_199_882, 11_992_448, 5),
    "medium": (7_632, 950_304, 32),
    "small": (5_616, 1_423_904, 20),
    "ultrasmall": (4_464, 1_150_688, 35),
}
DEAD = Process(pid=2**22 + 1, started=1.0, host=socket.gethostname())  # beyond all pids


def add_run(
    store: RunStore,
    model: str = "lenet5",
    *,
    accuracy: float = 0.9,
    state: str = "done",
    **fields,
) -> Run:
    """Writes a run with random weights; `fields` are of its config. Loads torch."""
    import torch
    from safetensors.torch import save

    config = make_config(model, **fields)
    torch.manual_seed(config.seed)
    summary = Summary(state, best_epoch=1, validation_accuracy=accuracy, test_accuracy=accuracy)
    store.create(config, summary)
    folder = store.folder(config.id)
    weights = folder.write_weights(1, save(create_model_for(config).state_dict()))
    folder.write_summary(replace(summary, **weights))
    return store.get(config.id)


def quick_config(**changes) -> RunConfig:
    """Quick to train on the small data set."""
    return make_config("lenet5", **{"epochs": 2, "batch_size": 32, "lr": 0.05, **changes})


def make_run(
    store: RunStore,
    config: RunConfig | None = None,
    *,
    state: str = "done",
    accuracy: float = 0.98,
    epochs: int | None = None,
    **summary,
) -> Run:
    """Writes a run's folder and returns the run.

    `accuracy` is the best validation accuracy; that of the test set, of finished runs only, is
    a little lower. `epochs` is the number of finished ones, by default all for a finished run
    and two for any other. Further keywords overwrite fields of the summary.
    """
    config = config or make_config("lenet5")
    finished = config.epochs if state == "done" else min(2, config.epochs)
    finished = finished if epochs is None else epochs
    fields = {"state": state, "created": time.time(), "epochs_done": finished, "device": "cpu"}
    fields |= dict(
        zip(("parameters", "macs", "receptive_field"), FIGURES[config.model], strict=True)
    )
    fields |= {"threads": 1, "seconds": 3.5 * finished, "data_fingerprint": FINGERPRINT}
    history = made_up_history(finished, accuracy)
    if history:
        best = max(history, key=lambda row: row["validation_accuracy"])
        fields |= {"best_epoch": best["epoch"], "weights_bytes": 4 * fields["parameters"] + 728}
        fields |= {k: best[k] for k in best if k.startswith("validation_")}
    if state == "done":
        fields |= {"test_accuracy": accuracy - 0.002, "test_loss": 0.05, "test_top5": 0.999}
    if state in ("queued", "running"):
        fields["process"] = DEAD
    run = store.create(config, Summary(**(fields | summary)))
    run.folder.write_history(history, [])
    return store.get(run.id)


def made_up_history(epochs: int, accuracy: float) -> list[dict[str, float]]:
    """Rows like training.results.EpochResult, that approach `accuracy` and reach it at the end."""
    rows = []
    for epoch in range(1, epochs + 1):
        left = math.exp(-3 * epoch / epochs) - math.exp(-3)
        value = accuracy - left * (accuracy - 0.5)
        rows.append(
            {
                "epoch": epoch,
                "train_loss": 1.2 * (1 - value) + 0.02,
                "train_accuracy": value - 0.01,
                "train_top5": 0.99,
                "validation_loss": 1.2 * (1 - value) + 0.04,
                "validation_accuracy": value,
                "validation_top5": 0.99,
                "lr": 0.01,
                "seconds": 3.5,
                "images_per_second": 14_000.0,
            }
        )
    return rows


def make_labels(store: RunStore, dataset: str = "MNIST", test: int = 10_000) -> None:
    """The store's true labels of a data set, of which `test` are the test images'."""
    labels = {"validation": np.arange(10_000) % 10, "test": np.arange(test) % 10}
    store.write_labels(dataset, FINGERPRINT, labels)


def damage(run: Run, name: str = "summary.json", content: bytes = b'{"state":') -> None:
    """Overwrites a file of the run's folder."""
    (run.path / name).write_bytes(content)


def save_known_costs(store: RunStore, *configs: RunConfig) -> None:
    """As if this machine had been measured already, for such configs; pages then measure nothing.

    Without any, for what the Train page opens with, in batches of any size.
    """
    if not configs:
        configs = tuple(opening_config().replace(batch_size=size) for size in AXES["batch_size"])
    for config in configs:
        cost.save(store, config, cost.Cost(1e-4, 1e-3, 1e-4, 5.0))
