"""Test images by their place, and those that a run's network got wrong."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_core.data.testset import test_image as image_at
from mnist_core.data.testset import wrong_places
from mnist_core.errors import InputError, LabError, NotFound
from tests.stores import FINGERPRINT, make_run


def test_the_image_at_a_place(small_data):
    folder = small_data / "MNIST" / "raw"
    pixels = np.frombuffer((folder / "t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8)
    labels = (folder / "t10k-labels-idx1-ubyte").read_bytes()[8:]
    for index in (0, 17, 59):
        found = image_at("MNIST", small_data, index)
        assert np.array_equal(found.image, pixels.reshape(60, 28, 28)[index])
        assert (found.label, found.index, found.count) == (labels[index], index, 60)


@pytest.mark.parametrize("index", [-1, 60, 10**9])
def test_a_place_that_is_not_there_is_a_sentence(small_data, index):
    with pytest.raises(InputError, match="0 to 59"):
        image_at("MNIST", small_data, index)


def test_a_data_set_that_is_not_there(tmp_path):
    with pytest.raises(LabError):
        image_at("KMNIST", tmp_path, 0)


def with_answers(store, labels, predicted):
    run = make_run(store)
    logits = np.eye(10, dtype=np.float16)[predicted] * 9
    store.write_logits(run.id, {"validation": logits, "test": logits})
    both = {"validation": labels, "test": labels}
    store.write_labels("MNIST", FINGERPRINT, both)
    return run


def test_the_wrong_ones_are_where_the_stored_answer_is_not_the_label(store):
    run = with_answers(store, np.array([3, 1, 4, 1, 5]), [3, 7, 4, 1, 6])
    assert wrong_places(store, run).tolist() == [1, 4]


def test_answers_that_do_not_fit_the_labels_are_a_sentence(store):
    run = with_answers(store, np.array([3, 1, 4]), [3, 7, 4, 1])
    with pytest.raises(LabError, match="4 logits, but there are 3 labels"):
        wrong_places(store, run)
    nameless = replace(run, summary=replace(run.summary, data_fingerprint=None))
    with pytest.raises(NotFound):
        wrong_places(store, nameless)
