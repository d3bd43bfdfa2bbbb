"""A data set of one's own from pictures that come from anybody: bounded memory, one sentence."""

import errno
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from mnist_core import dataset_specs
from mnist_core.data import picture_files
from mnist_core.data.from_pictures import add_own
from mnist_core.errors import InputError, LabError
from tests.drawing import encode

MEGABYTE = 2**20


@pytest.fixture(autouse=True)
def _registry(monkeypatch):
    monkeypatch.setattr(dataset_specs, "DATASETS", registry := dict(dataset_specs.DATASETS))
    monkeypatch.setattr("mnist_core.data.from_pictures.DATASETS", registry)


def picture(number=0):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 10 : 12 + number % 9] = 255
    return encode(Image.fromarray(pixels))


def zipped(path, files, kind=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def files(classes=2, each=30):
    return {f"c{n}/{k}.png": picture(k) for n in range(classes) for k in range(each)}


@pytest.mark.parametrize("kind", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_would_be_unpacked_whole_is_not_unpacked(tmp_path, kind):
    large = {"a/0.png": bytes(200 * MEGABYTE)}
    source = zipped(tmp_path / "x.zip", large, kind)
    assert source.stat().st_size < MEGABYTE
    tracemalloc.start()
    with pytest.raises(InputError, match=r"a/0\.png: it is packed in another way"):
        add_own("New", source, tmp_path / "data")
    assert tracemalloc.get_traced_memory()[1] < 50 * MEGABYTE
    tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_a_picture_that_is_too_large_is_named_and_not_read_whole(tmp_path, packed, monkeypatch):
    monkeypatch.setattr(picture_files, "LARGEST", 1000)
    given = files() | {"c1/large.png": bytes(5000)}
    if packed:
        source = zipped(tmp_path / "x.zip", given)
    else:
        source = tmp_path / "x"
        for name, content in given.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
    with pytest.raises(InputError, match=r"c1/large\.png: it is larger than"):
        add_own("New", source, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_device_in_place_of_a_picture_is_not_read(tmp_path):
    (tmp_path / "x" / "a").mkdir(parents=True)
    (tmp_path / "x" / "a" / "0.png").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="no pictures in folders"):
        add_own("New", tmp_path / "x", tmp_path / "data")


def test_more_classes_than_a_byte_holds_are_one_sentence(tmp_path):
    source = zipped(tmp_path / "x.zip", files(classes=257, each=1))
    with pytest.raises(InputError, match="in 257 folders, .* at most 256 classes"):
        add_own("New", source, tmp_path / "data")


def test_a_directory_of_too_many_entries_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_files, "MOST", 20)
    monkeypatch.setattr(picture_files, "PIECE", 7)  # signatures lie across the pieces' borders
    monkeypatch.setattr(zipfile, "ZipFile", None)
    source = tmp_path / "x.zip"
    source.write_bytes(b"xyz".join([picture_files.IN_DIRECTORY] * 41))
    with pytest.raises(InputError, match="more than 20 pictures"):
        add_own("New", source, tmp_path / "data")


def test_odd_names_are_printed_in_one_line(tmp_path):
    source = zipped(tmp_path / "x.zip", {"a\nb\x1b[31m/0.png": b"no picture"})
    with pytest.raises(InputError) as error:
        add_own("New", source, tmp_path / "data")
    assert str(error.value).isprintable() and r"a\nb\x1b[31m/0.png" in str(error.value)


def test_a_full_disk_leaves_the_name_free(tmp_path, monkeypatch):
    source, root = zipped(tmp_path / "x.zip", files()), tmp_path / "data"

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", full)
        with pytest.raises(LabError, match="The disk is full"):
            add_own("New", source, root)
    assert list(root.iterdir()) == []
    assert add_own("New", source, root).images == (52, 8)


def test_the_mean_and_deviation_are_those_of_the_pixels(tmp_path):
    source = zipped(tmp_path / "x.zip", files(each=40))
    spec = add_own("New", source, tmp_path / "data")
    from mnist_core.data.idx import read_part

    pixels = read_part("New", tmp_path / "data", test=False)[0] / 255
    assert spec.mean == pytest.approx(pixels.mean(), abs=5e-5)
    assert spec.std == pytest.approx(pixels.std(), abs=5e-5)
