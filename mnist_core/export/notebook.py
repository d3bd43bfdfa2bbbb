"""A run's settings as a notebook that trains it step by step."""

import json
from typing import Any

from mnist_core.analysis.describe import full_name
from mnist_core.config import RunConfig
from mnist_core.runs.run import Run

Cell = tuple[str, str]


def notebook(run: Run) -> dict[str, bytes]:
    """A Jupyter notebook (format 4.5) that needs this package and a data set."""
    cells = [_cell(number, *cell) for number, cell in enumerate(_cells(run))]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return {f"{run.id}.ipynb": json.dumps(made, indent=1, ensure_ascii=False).encode()}


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    cell["source"] = text.splitlines(keepends=True)
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _cells(run: Run) -> list[Cell]:
    config, tuned = run.config.parent, run.config.tuned
    about = "From images to a trained network, in six steps."
    if tuned:
        about = f"The run was {tuned.in_words()} afterwards, which is not part of this notebook."
    return [
        ("markdown", f"# {full_name(config)}\n\n{about}"),
        ("markdown", "## 1 · The settings\n\nChange one, and you train another network."),
        ("code", _settings(config)),
        ("markdown", "## 2 · The images"),
        (
            "code",
            "from mnist_core.data.datasets import load\n\ndata = load(config.dataset)\n"
            "print(len(data.train), 'images to learn from,', len(data.validation), "
            "'for validation,', len(data.test), 'for the test')",
        ),
        ("markdown", "## 3 · The network\n\nA chain of layers, each with its number of weights."),
        (
            "code",
            "from mnist_core.models import create_model_for\n\n"
            "for name, layer in create_model_for(config).named_children():\n"
            "    print(f'{name:14}', layer, sum(p.numel() for p in layer.parameters()))",
        ),
        ("markdown", f"## 4 · Training\n\n{config.epochs} passes over the training images."),
        (
            "code",
            "from mnist_core.config import Execution\n"
            "from mnist_core.training.trainer import Trainer, train\n\n"
            "trainer = Trainer(config, data, Execution())\nhistory = []\n"
            "for result in train(trainer):\n    history.append(result)\n"
            "    print(f'epoch {result.epoch}: loss {result.train_loss:.3f}, '\n"
            "          f'validation accuracy {result.validation_accuracy:.2%}')",
        ),
        ("markdown", "## 5 · The test\n\nOnce, at the end, on images that took part in nothing."),
        (
            "code",
            "from mnist_core.evaluation.metrics import metrics\n"
            "from mnist_core.evaluation.predict import logits_of\n\n"
            "pixels = data.test.pixels(config.input_size, config.fit)\n"
            "with trainer.averaged():\n"
            "    logits = logits_of(trainer.model, pixels, config).numpy()\n"
            "figures = metrics(logits, data.test.labels.numpy())\n"
            "print(f'test accuracy {figures.accuracy:.2%}')",
        ),
        ("markdown", f"## 6 · The same run in the lab\n\n{_result(run)}"),
        ("code", f"!python -m mnist_core runs --json | grep -c {run.id}"),
    ]


def _settings(config: RunConfig) -> str:
    lines = [f"    {name}={value!r}," for name, value in config.used().items()]
    return "\n".join(
        ["from mnist_core.config import RunConfig", "", "config = RunConfig(", *lines, ")"]
    )


def _result(run: Run) -> str:
    accuracy = run.summary.test_accuracy
    if accuracy is None:
        return f"`{run.id}` has not been tested yet."
    if run.config.tuning:
        return f"`{run.id}`, fine-tuned, has a test accuracy of {accuracy:.2%}."
    return f"`{run.id}` has a test accuracy of {accuracy:.2%}, at its best validation epoch."
