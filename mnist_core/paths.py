"""Where things lie on disk: the project, its data sets and its runs."""

import os
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def data_root() -> Path:
    """The folder with the data sets: MNIST_DATA, or data/ in the project."""
    return Path(os.environ.get("MNIST_DATA") or _home() / "data")


def store_root() -> Path:
    """The run store: MNIST_CHECKPOINTS, or checkpoints/ in the project."""
    return Path(os.environ.get("MNIST_CHECKPOINTS") or _home() / "checkpoints")


def _home() -> Path:
    """The project's folder; the current one where mnist_core was installed without it."""
    return PROJECT if (PROJECT / "app.py").is_file() else Path.cwd()
