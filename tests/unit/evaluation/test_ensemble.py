"""The vote: which runs take part, what each answers, and the mean of their probabilities."""

import threading

import numpy as np
import pytest
import torch

from mnist_core.data.transforms import to_input
from mnist_core.evaluation.ensemble import (
    best_of_each,
    consensus,
    hardest_first,
    labels_of_each,
    rank,
    vote,
)
from mnist_core.evaluation.network import load_network, one_thread
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.models import make_config
from mnist_core.tuning import Tuning
from tests.drawing import draw
from tests.stores import add_run, make_run

TUNING = Tuning("all", 20, 16 * "0", 5, 0.001, 7)
NAMES = ("lenet5", "lenet5-1998", "small", "mynetv2")


@pytest.fixture
def networks(store):
    return [load_network(add_run(store, name)) for name in NAMES]


def test_of_each_network_the_best_run_with_weights_votes(store):
    add_run(store, "lenet5", accuracy=0.95, seed=1)
    best = add_run(store, "lenet5", accuracy=0.97, seed=2)
    add_run(store, "lenet5", accuracy=0.99, state="stopped", seed=3)
    make_run(store, make_config("lenet5", seed=4), accuracy=0.999)  # no weights
    other = add_run(store, "small", accuracy=0.98)
    add_run(store, "small", accuracy=0.99, dataset="KMNIST")
    found = best_of_each(store.list()[0], "MNIST")
    assert [run.id for run in found] == [other.id, best.id]
    assert best_of_each(store.list()[0], "QMNIST") == []


def test_a_fine_tuned_run_comes_after_all_others(store):
    """It is for one handwriting, and its validation images are a fifth."""
    parent = make_run(store, accuracy=0.97)
    tuned = make_run(store, parent.config.replace(tuning=str(TUNING)), accuracy=0.99)
    stopped = make_run(store, make_config("lenet5", seed=2), state="stopped", accuracy=0.9)
    assert sorted([tuned, stopped, parent], key=rank) == [parent, stopped, tuned]


def test_each_network_of_ones_own_votes(store):
    for activation, seed in (("relu", 1), ("relu", 2), ("tanh", 1)):
        add_run(
            store, layers=f"pool 4, {activation}, flatten, linear 10", model="custom", seed=seed
        )
    assert len(best_of_each(store.list()[0], "MNIST")) == 2


def test_a_stopped_run_votes_where_there_is_no_other(store):
    only = add_run(store, "lenet5", accuracy=0.9, state="stopped")
    assert [run.id for run in best_of_each([only], "MNIST")] == [only.id]


def test_every_vote_is_what_the_network_says_alone(networks):
    image = from_canvas(draw(4)).final
    for one, said in zip(networks, vote(networks, image), strict=True):
        alone = one.model(to_input(torch.tensor(image)[None], one.run.config)).softmax(1)[0].numpy()
        assert said.run == one.run and said.milliseconds > 0
        assert np.allclose(said.probabilities, alone, atol=1e-6)
        assert said.label == alone.argmax() and said.confidence == pytest.approx(alone.max())


def test_the_consensus_is_the_mean(networks):
    votes = vote(networks, from_canvas(draw(3)).final)
    agreed = consensus(votes)
    mean = sum(v.probabilities for v in votes) / len(votes)
    assert np.allclose(agreed.probabilities, mean) and agreed.label == mean.argmax()
    assert agreed.count == 4
    assert agreed.agreeing == sum(v.probabilities.argmax() == mean.argmax() for v in votes)


def test_many_images_are_read_like_one(networks):
    images = np.stack([from_canvas(draw(digit)).final for digit in range(5)])
    for one in networks:
        many = one.probabilities(images)
        for image, shares in zip(images, many, strict=True):
            assert np.allclose(vote([one], image)[0].probabilities, shares, atol=1e-5)


def test_visitors_at_once_get_their_own_answers(networks):
    images = [from_canvas(draw(digit)).final for digit in range(10)]
    alone = [[v.logits for v in vote(networks, image)] for image in images]
    wrong = []

    def visitor(digit):
        for _ in range(3):
            votes = [v.logits for v in vote(networks, images[digit])]
            if not np.array_equal(votes, alone[digit]):
                wrong.append(digit)

    threads = [threading.Thread(target=visitor, args=(digit,)) for digit in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_thread_computes_on_one_core():
    found = []

    def look():
        one_thread()
        found.append(torch.get_num_threads())

    thread = threading.Thread(target=look)
    before = torch.get_num_threads()
    thread.start()
    thread.join()
    torch.set_num_threads(before)
    assert found == [1]


def test_labels_of_several_networks_and_the_images_they_miss_most(networks):
    images = np.stack([from_canvas(draw(digit)).final for digit in (3, 4, 5)])
    answers = labels_of_each(networks, images)
    assert answers.shape == (len(networks), 3)
    assert answers[1].tolist() == networks[1].logits(images).argmax(axis=1).tolist()
    right = np.array([[1, 1, 0, 0], [1, 0, 1, 0]], bool)
    assert hardest_first(right).tolist() == [3, 1, 2] and not len(hardest_first(right[:, :1]))
