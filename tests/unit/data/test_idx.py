"""Single images out of IDX files: those that training reads, and those of the test set."""

import numpy as np
import pytest

from mnist_core.data import datasets, idx
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError, LabError
from tests.idx_data import write_dataset


def test_training_images_are_those_that_training_sees(small_data):
    full = datasets.load("MNIST", small_data)
    pairs = zip(full.train.images.numpy(), full.train.labels.tolist(), strict=True)
    seen = {image.tobytes(): label for image, label in pairs}
    pixels, labels = idx.training_images("MNIST", small_data, 50, draw=0)
    assert pixels.shape == (50, 28, 28) and pixels.dtype == np.uint8
    for image, label in zip(pixels, labels, strict=True):
        assert seen[image.tobytes()] == label
    again, _ = idx.training_images("MNIST", small_data, 50, draw=0)
    other, _ = idx.training_images("MNIST", small_data, 50, draw=1)
    assert (again == pixels).all() and (other != pixels).any()


def test_test_images_come_by_their_index(small_data):
    full = datasets.load("MNIST", small_data)
    chosen = np.array([3, 0, 59])
    assert (idx.test_images("MNIST", small_data, chosen) == full.test.images[chosen].numpy()).all()
    with pytest.raises(LabError, match="60 test images"):
        idx.test_images("MNIST", small_data, np.array([60]))


@pytest.mark.parametrize("dataset", ["MNIST", "QMNIST"])
def test_the_image_of_an_index(dataset, tmp_path):
    folder = write_dataset(tmp_path, dataset) / dataset / "raw"
    images, labels = (folder / name for name in dataset_spec(dataset).files[2:])
    pixels = np.frombuffer(images.read_bytes()[16:], np.uint8).reshape(60, 28, 28)
    numbers = labels.read_bytes()
    numbers = numbers[15::32] if dataset == "QMNIST" else numbers[8:]
    for index in (0, 17, 59):
        found = idx.test_image(dataset, tmp_path, index)
        assert np.array_equal(found.image, pixels[index])
        assert (found.label, found.index, found.count) == (numbers[index], index, 60)


@pytest.mark.parametrize("index", [-1, 60, 10**9])
def test_an_index_that_is_not_there_is_a_sentence(small_data, index):
    with pytest.raises(InputError, match="0 to 59"):
        idx.test_image("MNIST", small_data, index)


def test_a_data_set_that_is_not_there(tmp_path):
    with pytest.raises(LabError, match="cannot be read"):
        idx.test_image("KMNIST", tmp_path, 0)


@pytest.mark.parametrize("damage", [b"", b"\0" * 100])
def test_a_damaged_file_is_named(tmp_path, damage):
    folder = write_dataset(tmp_path, train=12) / "MNIST" / "raw"
    (folder / "t10k-images-idx3-ubyte").write_bytes(damage)
    with pytest.raises(LabError, match="t10k-images.* is "):
        idx.test_images("MNIST", tmp_path, np.array([0]))


def test_how_many_images_there_are_is_what_the_files_say_or_else_the_spec(small_data, tmp_path):
    assert idx.part_sizes("MNIST", small_data) == idx.PartSizes(200, 40, 60)
    assert idx.part_sizes("MNIST", tmp_path) == idx.PartSizes(50_000, 10_000, 10_000)
    assert idx.part_sizes("QMNIST", tmp_path).test == 60_000
