"""The training images nearest to an image in a network's last hidden layer."""

import numpy as np
import pytest
import torch

from mnist_core.data.idx import read_part, split_indices
from mnist_core.data.transforms import to_input
from mnist_core.errors import LabError
from mnist_core.evaluation.network import load_network
from mnist_core.inspection import nearest
from mnist_core.paths import data_root
from tests.stores import add_run


def test_the_nearest_are_those_at_the_smallest_distance(lab):
    network = load_network(add_run(lab))
    found = nearest.candidates(network, data_root())
    images, labels = read_part("MNIST", data_root(), test=False)
    assert len(found.images) == len(split_indices(len(images))[0])  # all there are to learn from
    places = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert all(
        places[i.tobytes()] == label for i, label in zip(found.images, found.labels, strict=True)
    )

    def hidden(image):
        """By the layers themselves: all but the last one."""
        pixels = to_input(torch.tensor(np.array(image))[None], network.run.config)
        *layers, _ = network.model
        for layer in layers:
            pixels = layer(pixels)
        return pixels.detach().numpy()[0].astype(np.float64)

    image = np.array(read_part("MNIST", data_root(), test=True)[0][3])
    own = hidden(image)
    away = [np.sum((hidden(other) - own) ** 2) for other in found.images]
    assert found.nearest(network, image, 4).tolist() == np.argsort(away)[:4].tolist()
    assert found.nearest(network, found.images[7], 1).tolist() == [7]


def test_a_large_network_looks_at_fewer_and_without_data_there_are_none(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(nearest, "FEWEST", 20)
    network = load_network(add_run(lab, "mynetv1"))
    macs = 24_170_664
    found = nearest.candidates(network, data_root())
    assert len(found.images) == len(found.values) == int(nearest.MACS / macs)
    with pytest.raises(LabError):
        nearest.candidates(network, tmp_path / "nothing")
