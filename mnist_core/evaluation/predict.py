"""Logits of a network, and the figures that follow from logits and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_core.config import RunConfig
from mnist_core.data.datasets import load
from mnist_core.data.idx import missing_files
from mnist_core.data.transforms import normalise, resize
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.metrics import confusion, metrics
from mnist_core.evaluation.predictions import logits_and_labels
from mnist_core.evaluation.quantized import restored
from mnist_core.models import check_config, create_model_for
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

if TYPE_CHECKING:
    import torch
    from torch import nn


BATCH = 250  # images: more do not fit a CPU's L2 cache, and take up to half as long again


def logits_of(
    model: nn.Module, pixels: torch.Tensor, config: RunConfig, batch_size: int = BATCH
) -> torch.Tensor:
    """(N, 1, S, S) uint8 pixels -> (N, classes) logits, in batches, in evaluation mode."""
    import torch

    from mnist_core.engine.lowering import lowered

    training = model.training
    if training:  # a model in evaluation mode may be shared: leave it alone
        model.eval()
    spec, forward = dataset_spec(config.dataset), lowered(model)
    with torch.inference_mode():
        parts = [
            forward(normalise(batch, spec, config.scaling)) for batch in pixels.split(batch_size)
        ]
    if training:
        model.train()
    return torch.cat(parts)


def load_model(run: Run) -> nn.Module:
    """The run's network with its weights, in evaluation mode. Raises LabError.

    No code in the weights file can run: it is read as plain arrays. Weights in fewer bits (see
    evaluation.quantized) become single precision.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load as read_tensors

    from mnist_core.engine.lowering import memory_format

    config = check_config(run.config)
    model = create_model_for(config)
    content = run.weights()
    try:
        model.load_state_dict(restored(read_tensors(content)))
    except (SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise LabError(f"The weights of {run.id} do not fit {config.model} ({reason}).") from error
    if not all(torch.isfinite(v).all() for v in model.state_dict().values()):
        raise LabError(f"The weights of {run.id} hold values that are not finite.")
    return model.to(memory_format=memory_format(model)).eval()


def evaluate(store: RunStore, run: Run) -> dict[str, Any]:
    """The run's metrics on the test set, recomputed from its weights.

    Without the data set they come from the logits stored with the run; "from" says which.
    """
    if missing_files(run.config.dataset, data_root()):
        logits, labels = logits_and_labels(store, run, "test")
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
        "confusion": confusion(logits.argmax(axis=1), labels, logits.shape[1]).tolist(),
    }
