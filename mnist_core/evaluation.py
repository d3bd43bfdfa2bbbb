"""Logits of a network, and the figures that follow from logits and labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.datasets import SPECS, data_root, load, missing_files, normalise, resize
from mnist_core.errors import LabError
from mnist_core.models import check_config, create_model
from mnist_core.runs import Run, RunStore

if TYPE_CHECKING:
    import torch
    from torch import nn


BATCH = 250  # images: more leave a CPU's second cache, and cost up to half as much again


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats, top-1 and top-5 accuracy as fractions, over `count` images."""

    loss: float
    accuracy: float
    top5: float
    count: int


def logits_of(
    model: nn.Module, pixels: torch.Tensor, config: RunConfig, batch_size: int = BATCH
) -> torch.Tensor:
    """(N, 1, S, S) uint8 pixels -> (N, 10) logits, in batches, in evaluation mode."""
    import torch

    from mnist_core.lowering import lowered

    training = model.training
    model.eval()
    spec, forward = SPECS[config.dataset], lowered(model)
    with torch.inference_mode():
        parts = [
            forward(normalise(batch, spec, config.scaling)) for batch in pixels.split(batch_size)
        ]
    model.train(training)
    return torch.cat(parts)


def metrics(logits: np.ndarray, labels: np.ndarray) -> Metrics:
    """(N, 10) logits and (N,) labels -> their metrics, computed in double precision.

    The label counts as among the first five when fewer than five logits are higher.
    """
    logits = np.asarray(logits, dtype=np.float64)
    labels = np.asarray(labels)
    highest = logits.max(axis=1)
    at_label = logits[np.arange(len(labels)), labels]
    log_sum = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest
    loss = float((log_sum - at_label).mean())
    correct = logits.argmax(axis=1) == labels
    ahead = (logits > at_label[:, None]).sum(axis=1)
    return Metrics(
        loss=loss if math.isfinite(loss) else math.nan,
        accuracy=float(correct.mean()),
        top5=float((ahead < 5).mean()),
        count=len(labels),
    )


def to_half(logits: np.ndarray) -> np.ndarray:
    """(N, 10) logits in half precision, with the same class on top in every row.

    Rounding can make the two highest equal; then the true first is moved up by one step. Rows
    with values beyond half precision are shifted so that their highest is 0, which changes no
    probability, and cut off below.
    """
    logits = np.asarray(logits, dtype=np.float64)
    first = logits.argmax(axis=1)
    highest = logits.max(axis=1, keepdims=True)
    limit = float(np.finfo(np.float16).max)
    logits = np.where(np.abs(logits).max(axis=1, keepdims=True) < limit, logits, logits - highest)
    halves = logits.clip(-limit, limit).astype(np.float16)
    rows = np.flatnonzero(halves.argmax(axis=1) != first)
    top = halves[rows].max(axis=1)
    halves[rows, first[rows]] = np.nextafter(top, np.float16(np.inf))
    return halves


def load_model(run: Run) -> nn.Module:
    """The run's network with its weights, in evaluation mode. Raises LabError.

    Nothing in the weights file can run: it is read as plain arrays and nothing else.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load as read_tensors

    from mnist_core.lowering import memory_format

    config = check_config(run.config)
    model = create_model(config.model, config.activation, config.dropout)
    content = run.weights()
    try:
        model.load_state_dict(read_tensors(content))
    except (SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise LabError(f"The weights of {run.id} do not fit {config.model} ({reason}).") from error
    if not all(torch.isfinite(v).all() for v in model.state_dict().values()):
        raise LabError(f"The weights of {run.id} hold more than finite numbers.")
    return model.to(memory_format=memory_format(model)).eval()


def softmax(logits: np.ndarray) -> np.ndarray:
    """(N, 10) logits -> (N, 10) probabilities in double precision."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def confusion(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(10, 10) counts: row = true class, column = predicted class."""
    predicted = np.asarray(logits).argmax(axis=1)
    counts = np.bincount(np.asarray(labels) * 10 + predicted, minlength=100)
    return counts.reshape(10, 10)


def probabilities_of(model: nn.Module, images: torch.Tensor, config: RunConfig) -> np.ndarray:
    """(N, 28, 28) uint8 images -> (N, 10) probabilities."""
    pixels = resize(images, config.input_size, config.fit)
    return softmax(logits_of(model, pixels, config).numpy(force=True))


def evaluate(store: RunStore, run: Run) -> dict[str, Any]:
    """The run's figures on the test set, computed anew from its weights.

    Without the data set they come from the logits that the run keeps; "from" says which.
    """
    if missing_files(run.config.dataset, data_root()):
        logits, labels = run.logits()["test"], store.labels(run)["test"]
        if len(logits) != len(labels):
            raise LabError(f"{run.id} keeps {len(logits)} logits for {len(labels)} test labels.")
        source = "from the logits kept with the run: the data set is not there"
    else:
        dataset = load(run.config.dataset)
        test = dataset.test
        pixels = resize(test.images, run.config.input_size, run.config.fit)
        logits = logits_of(load_model(run), pixels, run.config).numpy()
        labels, source = test.labels.numpy(), "computed from its weights"
        if dataset.fingerprint != run.summary.data_fingerprint:
            source += ", on other data files than it was trained with"
    figures = metrics(logits, labels)
    return {
        "id": run.id,
        "dataset": run.config.dataset,
        "from": source,
        "images": figures.count,
        "test_accuracy": figures.accuracy,
        "test_loss": figures.loss,
        "test_top5": figures.top5,
        "confusion": confusion(logits, labels).tolist(),
    }
