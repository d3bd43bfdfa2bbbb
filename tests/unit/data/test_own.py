"""A data set of one's own, from pictures in folders or in a zip."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from mnist_core import dataset_specs
from mnist_core.data.from_pictures import add_own
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.idx import missing_files, read_part
from mnist_core.data.own import register_own
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from tests.drawing import encode
from tests.idx_data import pictures

LABELS = np.repeat([0, 1, 2], 20)
IMAGES = pictures(LABELS, seed=0)


@pytest.fixture(autouse=True)
def _registry(monkeypatch):
    monkeypatch.setattr(dataset_specs, "DATASETS", dict(dataset_specs.DATASETS))
    monkeypatch.setattr("mnist_core.data.own.DATASETS", dataset_specs.DATASETS)


def folder(path, dark=False, parts=False):
    for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        part = ("test" if number % 4 == 0 else "train") if parts else ""
        place = path / part / "abc"[label]
        place.mkdir(parents=True, exist_ok=True)
        values = 255 - image if dark else image
        (place / f"{number:03}.png").write_bytes(encode(Image.fromarray(values)))
    return path


def zipped(path, source):
    with zipfile.ZipFile(path, "w") as archive:
        for file in source.rglob("*.png"):
            archive.write(file, file.relative_to(source.parent))
        archive.writestr("__MACOSX/a/._x.png", b"no picture")
    return path


@pytest.mark.parametrize("dark", (False, True))
@pytest.mark.parametrize("packed", (False, True))
def test_pictures_by_class_become_a_data_set(packed, dark, tmp_path):
    source = folder(tmp_path / "letters", dark)
    source = zipped(tmp_path / "letters.zip", source) if packed else source
    root = tmp_path / "data"
    spec = add_own("Letters", source, root)
    assert spec.classes == ("a", "b", "c") and spec.images == (52, 8)
    assert not missing_files("Letters", root)
    found = set()
    for test in (False, True):
        images, labels = read_part("Letters", root, test=test)
        for image, label in zip(images, labels, strict=True):
            (number,) = np.flatnonzero((image == IMAGES).all(axis=(1, 2)))
            assert LABELS[number] == label
            found.add(int(number))
    assert len(found) == len(IMAGES)
    dataset_specs.DATASETS.pop("letters")
    register_own(root)
    assert dataset_spec("letters") == spec


def test_folders_say_what_is_for_the_test(tmp_path):
    root = tmp_path / "data"
    assert add_own("Letters", folder(tmp_path / "x", parts=True), root).images == (45, 15)
    assert (read_part("Letters", root, test=True)[0] == IMAGES[::4]).all()


def test_bad_input_is_one_sentence(tmp_path):
    root, good = tmp_path / "data", folder(tmp_path / "good")
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.zip").write_bytes(b"PK no zip")
    few = tmp_path / "few" / "a"
    few.mkdir(parents=True)
    (few / "1.png").write_bytes(encode(Image.fromarray(IMAGES[0])))
    for name, source, words in (
        ("New", tmp_path / "empty", "no pictures in folders"),
        ("New", tmp_path / "no.zip", "neither a folder nor a zip"),
        ("New", tmp_path / "nowhere", "cannot be read"),
        ("New", few, "lies in no folder"),
        ("New", few.parent, "too few"),
        ("", good, "needs a name"),
        ("a b", good, "use letters, digits and dashes"),
        ("mnist", good, "is taken"),
    ):
        with pytest.raises(InputError, match=words) as error:
            add_own(name, source, root)
        assert "\n" not in str(error.value)
    (good / "a" / "000.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a/000\.png: .*cannot be read as an image"):
        add_own("New", good, root)
    assert not root.exists()


def test_a_damaged_description_is_left_out(tmp_path):
    for number, text in enumerate(("{", "[]", '{"classes": 3}', "null")):
        (tmp_path / f"x{number}").mkdir()
        (tmp_path / f"x{number}" / "dataset.json").write_text(text)
    before = set(dataset_specs.DATASETS)
    register_own(tmp_path)
    assert set(dataset_specs.DATASETS) == before


def test_drawings_that_were_downloaded_become_a_data_set(tmp_path):
    drawings = Handwriting(tmp_path, "MNIST")
    large = np.zeros((90, 90), np.uint8)
    large[20:70, 40:50] = 255  # ink that is not normalised yet
    for number in range(50):
        drawings.add(large if number % 2 else IMAGES[number], 1 if number % 2 else 7)
    source = tmp_path / "handwriting.zip"
    source.write_bytes(drawings.to_zip())
    spec = add_own("Ours", source, tmp_path / "data")
    assert spec.classes == ("1", "7") and spec.images == (43, 7)
    samples, as_read = drawings.readable(drawings.samples())
    known = {image.tobytes(): sample.label for image, sample in zip(as_read, samples, strict=True)}
    for test in (False, True):
        images, labels = read_part("Ours", tmp_path / "data", test=test)
        for image, label in zip(images, labels, strict=True):
            assert known[image.tobytes()] == int(spec.classes[label])
    source.write_bytes(source.read_bytes()[:-40])
    with pytest.raises(InputError):
        add_own("Broken", source, tmp_path / "data")
