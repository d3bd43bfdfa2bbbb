"""Snapshots: a run's weights in half precision, early in training and after its epochs. No torch.

A run that keeps them has one file of them. After `done` steps it holds those of
`kept_steps(done, steps)` and no others: they follow from how far the run is and not from how long
it will be. So a run that was killed and resumed, one that was extended, and one that was that
long from the start end with the same file.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.errors import LabError
from mnist_core.files import read_tensors_file

SNAPSHOTS = "snapshots.safetensors"
EARLY = (0, 1, 3, 10, 30, 100, 300)  # steps; 0 is before the first one
MOST = 20
MOST_EPOCHS = MOST - len(EARLY)
COUNT = re.compile(r"[0-9]{1,15}")

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Snapshot:
    """The weights after `step` steps in all, when `epoch` epochs were finished.

    `weights` has float16 arrays by their names in the network's state dictionary: parameters and
    the statistics of batch normalisation, but no counters.
    """

    epoch: int
    step: int
    weights: Weights


def kept_steps(done: int, steps: int) -> set[int]:
    """The steps of which a run keeps snapshots after `done` steps, with `steps` in an epoch.

    They are those of EARLY and the ends of epochs: of up to 13 all; of more the 1st, 2nd, 4th, 8th
    and so on, and the last. Each that a longer run keeps was kept when it was as far as that.
    """
    epochs = done // steps
    ends = set(range(1, epochs + 1))
    if epochs > MOST_EPOCHS:
        ends = {2**power for power in range(epochs.bit_length())} | {epochs}
    return {step for step in EARLY if step <= done} | {epoch * steps for epoch in ends}


def snapshots_to_bytes(snapshots: Iterable[Snapshot]) -> bytes:
    """A safetensors file, whose tensors are called `<epoch>/<step>/<name>`."""
    return tensors_to_bytes(
        {
            f"{snapshot.epoch}/{snapshot.step}/{name}": values
            for snapshot in snapshots
            for name, values in snapshot.weights.items()
        }
    )


def read_snapshots(path: Path) -> list[Snapshot]:
    """The snapshots of a file, in the order of their steps.

    Raises NotFound, or LabError when the file is damaged.
    """
    found: dict[tuple[int, int], dict[str, np.ndarray]] = {}
    for key, values in read_tensors_file(path).items():
        epoch, step, name = _parsed(path, key)
        found.setdefault((step, epoch), {})[name] = values
    snapshots = [Snapshot(epoch, step, found[step, epoch]) for step, epoch in sorted(found)]
    _check(path, snapshots)
    return snapshots


def _parsed(path: Path, key: str) -> tuple[int, int, str]:
    epoch, _, rest = key.partition("/")
    step, _, name = rest.partition("/")
    if not (COUNT.fullmatch(epoch) and COUNT.fullmatch(step) and name):
        raise LabError(f"{path} is damaged: {key[:60]!a} is no part of a snapshot.")
    return int(epoch), int(step), name


def _check(path: Path, snapshots: list[Snapshot]) -> None:
    """Raises LabError unless there are some, and all have the same arrays, of finite halves."""
    shapes = [{k: v.shape for k, v in snapshot.weights.items()} for snapshot in snapshots]
    if not snapshots or any(each != shapes[0] for each in shapes):
        raise LabError(f"{path} is damaged: its snapshots are not of one network.")
    values = [array for snapshot in snapshots for array in snapshot.weights.values()]
    if not all(array.dtype == np.float16 and np.isfinite(array).all() for array in values):
        raise LabError(f"{path} is damaged: it holds more than finite numbers of 16 bits.")
