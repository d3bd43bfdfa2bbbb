"""Mistakes and agreement, against counting by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from mnist_core.evaluation.mistakes import Readings, agreement, by_class, in_cell, right_of
from mnist_core.evaluation.statistics import wilson


def random_answers(seed, count=80):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 10)), random.integers(0, 10, count)


def answers(logits, labels):
    shares = special.softmax(logits, axis=1)
    return Readings(labels, shares.argmax(axis=1), shares.max(axis=1))


@given(st.integers(0, 10**6))
def test_cells_hold_every_image_once_the_most_confident_first(seed):
    logits, labels = random_answers(seed)
    given_ = answers(logits, labels)
    shares = special.softmax(logits, axis=1)
    cells = [in_cell(given_, label, predicted) for label in range(10) for predicted in range(10)]
    assert sorted(np.concatenate(cells)) == list(range(80))
    for number, cell in enumerate(cells):
        assert all(labels[cell] == number // 10)
        assert all(shares[cell].argmax(axis=1) == number % 10)
        assert all(np.diff(shares[cell].max(axis=1)) <= 1e-12)


@given(st.integers(0, 10**6))
def test_classes_add_up(seed):
    logits, labels = random_answers(seed)
    classes = by_class(answers(logits, labels))
    assert sum(each.count for each in classes) == 80
    for each in classes:
        mine = logits[labels == each.label].argmax(axis=1) == each.label
        assert (each.right, each.accuracy) == (mine.sum(), mine.mean())
        assert each.interval == wilson(each.right, each.count)


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_every_image_is_of_all_some_or_none(seed, networks):
    labels = random_answers(seed)[1]
    given_ = [answers(random_answers(seed + n)[0], labels) for n in range(networks)]
    found = agreement(given_)
    right = np.stack([right_of(each) for each in given_]).sum(axis=0)
    assert sorted([*found.all, *found.some, *found.none]) == list(range(80))
    assert all(right[found.all] == networks) and all(right[found.none] == 0)
    assert all(np.diff(right[found.some]) >= 0)
    assert networks > 1 or not len(found.some)
