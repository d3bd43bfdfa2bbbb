"""The drawings that the lab makes itself."""

import numpy as np
import pytest

from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.imaging.sample_drawings import draw, drawn_examples, example_for


@pytest.mark.parametrize("dataset", dataset_names())
def test_every_data_set_has_an_example_that_lies_on_the_canvas(dataset):
    example = example_for(dataset)
    picture = draw(example, 280)
    assert picture.shape == (280, 280, 4) and picture.dtype == np.uint8
    ink = picture[..., 3]
    assert 0.03 < (ink > 128).mean() < 0.5
    assert not ink[[0, -1]].any() and not ink[:, [0, -1]].any()
    assert from_canvas(picture) is not None
    assert example.label is None or 0 <= example.label < dataset_spec(dataset).num_classes


def test_the_lab_draws_every_digit_and_one_image_of_other_data_sets():
    for dataset, count in (("MNIST", 10), ("QMNIST", 10), ("FashionMNIST", 1), ("KMNIST", 1)):
        images, names = drawn_examples(dataset)
        assert images.shape == (count, 28, 28) and images.dtype == np.uint8
        assert len(names) == count and images.reshape(count, -1).max(axis=1).min() > 200
