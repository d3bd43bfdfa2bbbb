"""Run folders and archives that come from anybody."""

import functools
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import LabError
from mnist_core.jobs import launcher
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from tests.tools.fuzzing.configs import warm_up
from tests.tools.fuzzing.part import ODD, part, spoiled

ASSETS = Path(__file__).parents[2] / "assets" / "checkpoints"
FILES = ("config.json", "summary.json", "history.csv", "steps.csv", "progress.json", "request")
FILES += ("resume.pt", "weights-epoch001.safetensors", "logits.safetensors", "logits.packed.gz")
FILES += ("snapshots.safetensors", "image_map.safetensors", "novelty.safetensors")
FILES += ("robustness.json", "about.json", "worker.log")
PROGRESS = {"phase": "training", "epoch": 1, "step": 1, "steps": 2, "images_per_second": 9.0}
PROGRESS |= {"seconds_left": 1.0, "losses": [[1, 0.5]]}


def spoil(chance: random.Random, path: Path) -> None:
    """Puts something odd in the place of a file."""
    content = path.read_bytes() if path.is_file() else json.dumps(PROGRESS).encode()
    path.unlink(missing_ok=True)
    match chance.randrange(7):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to(chance.choice(("/dev/zero", "../../../outside", path.name)))
        case 2:
            path.mkdir()
        case 3:
            with path.open("wb") as file:
                file.truncate(3 * 2**30)
        case 4 if path.suffix == ".json":
            values = json.loads(content)
            values[chance.choice([*values])] = chance.choice(ODD)
            path.write_text(json.dumps(values))
        case _:
            path.write_bytes(spoiled(chance, content))


@part("run-folders", prepare=warm_up)
def use_a_run(chance: random.Random, folder: Path) -> None:
    """Everything that is read of a run, and what is written to it when it is started or stopped."""
    store = RunStore(folder / "store")
    asset = chance.choice(sorted(ASSETS.iterdir()))
    path = Path(shutil.copytree(asset, store.root / asset.name))
    for name in chance.sample(FILES, chance.randint(1, 3)):
        spoil(chance, path / name)
    runs, damaged = store.list()
    assert len(runs) + len(damaged) == 1
    assert all("\n" not in each.reason for each in damaged)
    for run in runs:
        for read in READERS:
            with suppress(LabError):
                read(run)
        with suppress(LabError):
            launcher.stop(store, run.id, grace=0.1)
        with suppress(LabError):
            run.folder.request("pause")
        with suppress(LabError):
            store.create(run.config, run.summary)


def resumed(run: Run) -> None:
    """Reads the resume state as training does."""
    from mnist_core.training.resume import go_on_from

    trainer = trainer_for(run.config.id, run)
    go_on_from(run, trainer, run.summary)


@functools.cache
def trainer_for(_id: str, run: Run) -> object:
    from mnist_core.config import Execution
    from mnist_core.training.trainer import Trainer
    from tests.configs import random_images

    data = random_images(run.config.dataset, 200)
    return Trainer(run.config, data, Execution(threads=1, device="cpu", engine="torch"))


READERS: tuple[Callable[[Run], object], ...] = (
    lambda run: run.history,
    lambda run: run.step_losses,
    lambda run: run.weights(),
    lambda run: run.first_kernels(),
    lambda run: run.logits(),
    lambda run: run.snapshots(),
    lambda run: run.folder.progress(),
    lambda run: run.folder.requested(),
    lambda run: (run.state, run.position, run.unresponsive, run.has_weights),
    resumed,
)


@functools.cache
def archive() -> bytes:
    """An archive of two drawings, as the lab writes it."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        drawings = Handwriting(Path(name), "MNIST")
        for label in (3, 7):
            picture = np.zeros((60, 60), np.uint8)
            picture[10:50, 25 : 30 + label] = 255
            drawings.add(picture, label)
        return drawings.to_zip()


@part("archives")
def add_an_archive(chance: random.Random, folder: Path) -> None:
    """A zip of drawings: broken, or with entries of odd names and contents."""
    import zipfile

    content = archive()
    if chance.random() < 0.5:
        content = spoiled(chance, content)
    else:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
            for entry in old.namelist():
                odd = chance.choice(("../../outside", "/tmp/x", "a\nb", "x" * 300, entry, entry))
                data = old.read(entry)
                new.writestr(odd, spoiled(chance, data) if chance.random() < 0.5 else data)
        content = out.getvalue()
    Handwriting(folder, "MNIST").from_zip(content)
