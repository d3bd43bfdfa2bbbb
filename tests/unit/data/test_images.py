"""Single images read without torch, as torch reads them."""

import numpy as np
import pytest

from mnist_core.data import datasets, images
from mnist_core.errors import LabError


def test_training_images_are_those_that_training_sees(small_data):
    full = datasets.load("MNIST", small_data)
    pairs = zip(full.train.images.numpy(), full.train.labels.tolist(), strict=True)
    seen = {image.tobytes(): label for image, label in pairs}
    pixels, labels = images.training_images("MNIST", small_data, 50, draw=0)
    assert pixels.shape == (50, 28, 28) and pixels.dtype == np.uint8
    for image, label in zip(pixels, labels, strict=True):
        assert seen[image.tobytes()] == label
    again, _ = images.training_images("MNIST", small_data, 50, draw=0)
    other, _ = images.training_images("MNIST", small_data, 50, draw=1)
    assert (again == pixels).all() and (other != pixels).any()


def test_test_images_come_by_their_place(small_data):
    full = datasets.load("MNIST", small_data)
    places = np.array([3, 0, 59])
    assert (
        images.test_images("MNIST", small_data, places) == full.test.images[places].numpy()
    ).all()
    with pytest.raises(LabError, match="60 test images"):
        images.test_images("MNIST", small_data, np.array([60]))


def test_files_that_do_not_fit_are_one_sentence(tmp_path, small_data):
    for damage in (b"", b"\0" * 100):
        folder = tmp_path / str(len(damage)) / "MNIST" / "raw"
        folder.mkdir(parents=True)
        for path in (small_data / "MNIST" / "raw").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "t10k-images-idx3-ubyte").write_bytes(damage)
        with pytest.raises(LabError, match="t10k"):
            images.test_images("MNIST", folder.parents[1], np.array([0]))
