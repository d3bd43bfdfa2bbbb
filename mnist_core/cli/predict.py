"""What a trained network reads: the commands `evaluate` and `predict`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.cli.command import Answer, command, one_run
from mnist_core.cli.terminal import table
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError, LabError
from mnist_core.formatting import percent
from mnist_core.runs.store import RunStore

if TYPE_CHECKING:
    import numpy as np

    from mnist_core.evaluation.network import Network


@command("evaluate", "Accuracy on the test set, and the confusion matrix.", one_run)
def evaluate(options: Namespace) -> Answer:
    from mnist_core.evaluation.predict import evaluate as evaluate_run

    store = RunStore()
    figures = evaluate_run(store, store.get(options.id))
    classes = dataset_spec(figures["dataset"]).classes
    title = f"{figures['id']}: test {percent(figures['test_accuracy'])} ({figures['from']})"
    rows = [
        {"true class": classes[i], **dict(zip(classes, row, strict=True))}
        for i, row in enumerate(figures["confusion"])
    ]
    return Answer(figures, f"{title}\n{table(rows)}")


def _predict_options(parser: ArgumentParser) -> None:
    one_run(parser)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="a drawing, scan or photograph")


@command("predict", "What a run's network reads in pictures of your own.", _predict_options)
def predict(options: Namespace) -> Answer:
    from mnist_core.evaluation.network import Network
    from mnist_core.evaluation.predict import load_model

    run = RunStore().get(options.id)
    drawings = [_read_image(Path(name), run.config.dataset) for name in options.images]
    network = Network(run, load_model(run))
    answers = [
        {"image": name, **_answer(network, drawing)}
        for name, drawing in zip(options.images, drawings, strict=True)
    ]
    lines = [f"{a['image']}: {a['class']} ({percent(a['confidence'])})" for a in answers]
    return Answer(answers[0] if len(answers) == 1 else answers, "\n".join(lines))


def _read_image(path: Path, dataset: str) -> np.ndarray:
    """(28, 28) uint8: what a network reads in the picture."""
    from mnist_core.imaging.photo import from_image

    try:
        stages = from_image(path.read_bytes(), fill=dataset_spec(dataset).filled)
    except OSError as error:
        raise InputError(f"image: {path} cannot be read ({error.strerror})") from error
    except InputError as error:
        raise InputError(f"image: {path}: {error}") from error
    if stages is None:
        raise LabError(f"image: {path} shows nothing that looks like ink")
    return stages.final


def _answer(network: Network, drawing: np.ndarray) -> dict[str, Any]:
    probabilities = network.probabilities(drawing[None])[0]
    label = int(probabilities.argmax())
    return {
        "label": label,
        "class": dataset_spec(network.run.config.dataset).classes[label],
        "confidence": float(probabilities[label]),
        "probabilities": [float(p) for p in probabilities],
    }
