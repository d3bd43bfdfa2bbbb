"""Data sets of one's own: folders and zips of pictures, and the description that is kept."""

import io
import json
import os
import random
import zipfile
from contextlib import suppress
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from mnist_core import dataset_specs
from mnist_core.data.from_pictures import add_own
from mnist_core.data.idx import missing_files, read_part, test_image
from mnist_core.data.own import NAME, register_own
from mnist_core.errors import LabError
from tests.tools.fuzzing.part import ODD, odd_somewhere, part, spoiled
from tests.tools.fuzzing.pictures import bomb, file

LABELS = (
    "0",
    "1",
    "7",
    "a",
    "b",
    "train",
    "test",
    "Test",
    "x" * 200,
    "a\nb",
    "[x](//y)",
    "ä",
    "01",
)
LABELS += ("__MACOSX", ".hidden", "..", "con", "\x1b[31m")
SETS = ("own", "", "MNIST", "mnist", "../own", "x" * 300, "a b", "own\n", ".", "٣", "con", "a/b")


def picture(chance: random.Random) -> bytes:
    """A picture for learning, small and mostly right."""
    if chance.random() < 0.06:
        return chance.choice((file, bomb))(chance)
    side = chance.choice((28, 28, 28, 60))
    pixels = np.zeros((side, side), np.uint8)
    pixels[side // 4 : -side // 4, side // 2 : side // 2 + chance.randint(1, 9)] = 255
    pixels = 255 - pixels if chance.random() < 0.2 else pixels
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, chance.choice(("PNG", "PNG", "BMP")))
    content = out.getvalue()
    return spoiled(chance, content) if chance.random() < 0.01 else content


def names(chance: random.Random) -> list[str]:
    """Where pictures lie: mostly in a folder for each class."""
    odd = chance.random() < 0.5
    labels = chance.sample(LABELS if odd else LABELS[:5], chance.randint(1, 4))
    found = []
    for number in range(chance.choice((3, 30, 50))):
        label = chance.choice(labels)
        part_ = chance.choice(("", "", "train/", "test/")) if odd else ""
        ending = chance.choice(("png", "png", "PNG", "txt", "jpg")) if odd else "png"
        found.append(f"{part_}{label}/{number}.{ending}")
    return [*found, *(["7.png", "../../outside.png", "/tmp/x/0.png"] if odd else [])]


@part("own-data", count=100)
def add_a_dataset(chance: random.Random, folder: Path) -> None:
    """Pictures of anybody become a data set, which is read as others are."""
    root = folder / "data"
    source = folder / ("given.zip" if chance.random() < 0.5 else "given")
    if source.suffix:
        _write_zip(chance, source)
    else:
        _write_folder(chance, source)
    with mock.patch.dict(dataset_specs.DATASETS):
        spec = add_own(chance.choice(SETS) if chance.random() < 0.4 else "own", source, root)
        assert not missing_files(spec.name, root)
        images, labels = read_part(spec.name, root, test=True)
        assert len(images) == len(labels) == spec.images[1]
        _read_again(chance, root, spec.name)


def _write_zip(chance: random.Random, path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", chance.choice((0, 8, 8, 12, 14))) as archive:
        for name in names(chance):
            archive.writestr(name, picture(chance))
        if chance.random() < 0.05:  # unpacks to far more than it has
            for number in range(20):
                archive.writestr(f"9/{number}.png", bytes(60 * 2**20), 8, 1)
    content = out.getvalue()
    path.write_bytes(spoiled(chance, content) if chance.random() < 0.3 else content)


def _write_folder(chance: random.Random, path: Path) -> None:
    path.mkdir()
    for name in names(chance):
        to = path / name.lstrip("/")
        if ".." in name:
            continue
        with suppress(OSError):  # a name that is too long
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(picture(chance))
    first = next(path.rglob("*.png"), None)
    if first and chance.random() < 0.3:
        first.unlink()
        match chance.randrange(4):
            case 0:
                os.mkfifo(first)
            case 1:
                first.symlink_to("/dev/zero")
            case 2:
                first.symlink_to(".")
            case _:
                with first.open("wb") as large:
                    large.truncate(3 * 2**30)


def _read_again(chance: random.Random, root: Path, name: str) -> None:
    """Another start of the lab, after the description or a file has been changed."""
    about = root / name / NAME
    changed = json.dumps(odd_somewhere(chance, json.loads(about.read_bytes()), ODD)).encode()
    about.write_bytes(changed if chance.random() < 0.6 else spoiled(chance, about.read_bytes()))
    dataset_specs.DATASETS.pop(name.lower())
    register_own(root)
    if name.lower() in dataset_specs.DATASETS:
        found = dataset_specs.dataset_spec(name)
        assert all(isinstance(label, str) for label in found.classes) and found.std > 0
        with suppress(LabError):
            test_image(name, root, 0)
