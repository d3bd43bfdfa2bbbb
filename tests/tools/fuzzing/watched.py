"""What lies beside a run's weights and is shown over time: snapshots, image maps, novelty."""

import functools
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest import mock

import numpy as np
from safetensors.numpy import load, save

from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network, load_network
from mnist_core.export.formats import FORMATS
from mnist_core.inspection import novelty, over_time
from mnist_core.runs import image_map
from mnist_core.runs.snapshots import SNAPSHOTS, Snapshot, snapshots_to_bytes
from mnist_core.runs.store import RunStore
from pages.components.shared.timeline import side
from tests.stores import add_run
from tests.tools.fuzzing.pages import template
from tests.tools.fuzzing.part import part, spoiled

FILES = (SNAPSHOTS, image_map.NAME, novelty.NAME)
KINDS = ("float16", "float32", "float64", "int64", "int32", "uint8", "bool")
NAMES = ("", "0/0/", "1/x/conv1.weight", "-1/0/w", "9" * 5000 + "/1/w", "٣/٣/w", "0/0/conv1.weight")
NAMES += (f"1/{2**70}/conv1.bias", "steps", "mean", "weights_sha256")
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (3, 0), (2, 2), (1, 1, 1, 1, 1), (10**5,))


@functools.cache
def _template() -> Path:
    """A folder with a store of one run that has all three files."""
    folder = Path(tempfile.mkdtemp(prefix="mnist-lab-watched-"))
    store = RunStore(folder / "store")
    with mock.patch.dict(os.environ, {"MNIST_DATA": str(template() / "data")}):
        run = add_run(store, "ultrasmall")
        network = load_network(run)
        halves = {
            name: values.numpy().astype(np.float16)
            for name, values in network.model.state_dict().items()
            if values.is_floating_point()
        }
        kept = [Snapshot(0, 0, halves), Snapshot(0, 3, halves), Snapshot(1, 6, halves)]
        (run.path / SNAPSHOTS).write_bytes(snapshots_to_bytes(kept))
        (run.path / novelty.NAME).write_bytes(_detector(network).to_bytes(run))
        over_time.keep_map(run)
    return folder


def _detector(network: Network) -> novelty.Detector:
    values = novelty.hidden_values(network, np.zeros((2, 28, 28), np.uint8)).shape[1]
    ones = np.ones(values, np.float32)
    units = np.ones(4, np.float32)
    return novelty.Detector(ones, ones, np.ones((values, 4), np.float32), units, units, 0.5)


def odd_tensors(chance: random.Random, content: bytes) -> bytes:
    """The arrays of a file, of which some are missing, odd, or called something else."""
    found = load(content)
    for _ in range(chance.randint(1, 3)):
        name = chance.choice([*found])
        match chance.randrange(6):
            case 0:
                found.pop(name)
            case 1:
                found[chance.choice(NAMES)] = found.pop(name)
            case 2:
                found[name] = np.zeros(chance.choice(SHAPES), chance.choice(KINDS))
            case 3:
                found[name] = found[name].astype(chance.choice(KINDS))
            case 4 if found[name].size:
                values = found[name].copy()
                odd = (np.nan, np.inf, -np.inf, 0, 1e4) if values.dtype.kind == "f" else (0, 255)
                values.flat[chance.randrange(values.size)] = chance.choice(odd)
                found[name] = values
            case _:
                found[name] = found[name][..., :-1] if found[name].ndim else found[name]
        if not found:
            break
    return save({name: np.ascontiguousarray(values) for name, values in found.items()})


@part("watched-runs", prepare=_template, count=100)
def watch_a_run(chance: random.Random, folder: Path) -> None:
    """A run one or two of whose files hold something else: it is watched, judged and exported."""
    shutil.copytree(_template() / "store", folder / "store")
    store = RunStore(folder / "store")
    (run,) = store.list()[0]
    for name in chance.sample(FILES, chance.randint(1, 2)):
        path = run.path / name
        content = path.read_bytes()
        change = odd_tensors if chance.random() < 0.7 else spoiled
        path.write_bytes(change(chance, content))
    image = np.random.default_rng(chance.randrange(2**32)).integers(0, 256, (28, 28), np.uint8)
    network = load_network(run)
    looks: tuple[Callable[[], object], ...] = (
        lambda: side(run, image),
        lambda: over_time.keep_map(run),
        lambda: (found := novelty.stored(run)) and found.novelty(network, image[None]),
        lambda: FORMATS[chance.choice(("script", "card", "tensorboard", "notebook"))].make(run),
    )
    with mock.patch.dict(os.environ, {"MNIST_DATA": str(template() / "data")}):
        for look in looks:
            with suppress(LabError, FileNotFoundError):  # which a page tells of, too
                look()
