"""A network at its snapshots, and the map of test images: computed, kept, read again."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from mnist_core.cli.main import main
from mnist_core.config import Execution
from mnist_core.data.idx import read_part
from mnist_core.data.transforms import to_input
from mnist_core.errors import LabError
from mnist_core.evaluation.network import load_network
from mnist_core.inspection import over_time
from mnist_core.jobs.worker import carry_out
from mnist_core.models import check_config, create_model_for, make_config
from mnist_core.paths import data_root
from mnist_core.runs.image_map import NAME
from mnist_core.runs.snapshots import Snapshot

EXECUTION = Execution(threads=1, device="cpu", snapshots=True)


@pytest.fixture
def run(lab):
    return carry_out(lab, make_config("lenet5", epochs=1, batch_size=32, lr=0.05), EXECUTION)


def snapshot_of(model):
    floats = {k: v for k, v in model.state_dict().items() if v.is_floating_point()}
    return Snapshot(0, 0, {name: values.half().numpy() for name, values in floats.items()})


def test_the_last_snapshot_answers_as_the_run_does(run):
    images, _ = read_part("MNIST", data_root(), test=True)
    last = over_time.network_at(run, run.snapshots()[-1])
    hidden, logits = over_time.values_at(last, images[:120])
    assert np.abs(logits - load_network(run).logits(images[:120])).max() < 0.01
    by_hand = last.model[:-1](to_input(torch.tensor(images[:120]), run.config))
    assert np.allclose(hidden, by_hand.numpy(), atol=1e-5)
    maps = over_time.maps_at(last, images[3])
    own = over_time.hidden_values(maps[over_time.hidden_stage(last.model)])
    assert np.allclose(own, hidden[3], atol=1e-5)


@pytest.mark.parametrize("name", ["fast", "medium", "myvggnet", "ultrasmall", "mynetv1"])
def test_hidden_values_of_one_image_and_of_many_are_the_same(store, name):
    from tests.stores import make_run

    run = make_run(store, make_config("lenet5"))
    object.__setattr__(run, "config", check_config(make_config(name)))
    network = over_time.network_at(run, snapshot_of(create_model_for(run.config)))
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)
    hidden, _ = over_time.values_at(network, images)
    maps = over_time.maps_at(network, images[1])
    own = over_time.hidden_values(maps[over_time.hidden_stage(network.model)])
    assert np.allclose(own.ravel(), hidden[1], atol=1e-4)


def test_weights_of_another_network_are_refused(run):
    foreign = Snapshot(0, 0, {"weight": np.zeros((2, 2), np.float16)})
    with pytest.raises(LabError, match=r"snapshots of .* do not fit lenet5"):
        over_time.network_at(run, foreign)


def test_the_map_is_kept_read_again_and_made_anew_for_other_steps(run, capsys):
    assert main(["image-map", "--json"]) == 0 and '"computed": true' in capsys.readouterr().out
    content = (run.path / NAME).read_bytes()
    assert main(["image-map", run.id, "--json"]) == 0
    assert '"computed": false' in capsys.readouterr().out
    steps = [snapshot.step for snapshot in run.snapshots()]
    found = over_time.stored_map(run, steps)
    assert over_time.stored_map(run, steps[:-1]) is None
    images, labels = read_part("MNIST", data_root(), test=True)
    assert (found.labels == labels[found.index]).all()
    confusion = found.confusion(10)
    assert np.allclose(confusion.trace(axis1=1, axis2=2) / len(found.index), found.accuracy())
    # an image of the map, placed once more by its hidden values, lies where the map has it
    maps = [over_time.network_at(run, each) for each in run.snapshots()]
    hidden = [over_time.values_at(each, images[found.index[:1]])[0][0] for each in maps]
    again = found.place(np.stack(hidden)).astype(int)
    assert np.abs(again - found.points[:, 0]).max() <= 1

    tensors = load(content)
    damages = [
        b"torn",
        save(tensors | {"labels": tensors["labels"] + np.uint8(9)}),
        save(tensors | {"points": tensors["points"][:, :-1].copy()}),
        save(tensors | {"spread": tensors["spread"] * np.float32(np.nan)}),
        save({name: values for name, values in tensors.items() if name != "basis"}),
    ]
    for damaged in damages:
        (run.path / NAME).write_bytes(damaged)
        with pytest.raises(LabError, match="damaged"):
            over_time.stored_map(run, steps)


def test_images_are_the_first_of_each_class_as_many_of_each():
    labels = np.array([3, 1, 1, 3, 1, 3, 2, 2, 1])
    assert over_time.chosen_images(labels, 6).tolist() == [0, 1, 2, 3, 6, 7]


def test_classes_that_lie_apart_lie_apart_in_the_plane():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    late = 50 * np.eye(8)[labels] + random.normal(size=(60, 8)) + 7
    early = random.normal(size=(60, 8))
    logits = np.eye(3)[labels]
    found = over_time.image_map([0, 9], [early, late], [logits] * 2, np.arange(60), labels)
    ends = found.points[1].astype(float)
    centres = np.stack([ends[labels == label].mean(0) for label in range(3)])
    within = max(ends[labels == label].std(0).max() for label in range(3))
    between = min(np.linalg.norm(centres[i] - centres[i - 1]) for i in range(3))
    assert between > 10 * within and found.accuracy().tolist() == [1, 1]
