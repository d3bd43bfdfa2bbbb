"""Predictions from stored logits, and the mistakes among them, against counting by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.predictions import (
    Predictions,
    agreement,
    logits_and_labels,
    mistakes,
    predictions,
)
from tests.stores import FINGERPRINT, make_run


def test_the_most_confident_mistake_comes_first(store):
    run = make_run(store)
    labels = np.array([0, 1, 2, 3, 4])
    logits = np.full((5, 10), -4.0, np.float16)
    logits[[0, 1, 2, 3, 4], [0, 1, 5, 6, 4]] = [3, 1, 2, 6, 2]
    store.write_labels("MNIST", FINGERPRINT, {"validation": labels, "test": labels})
    with pytest.raises(NotFound):
        predictions(store, run)
    assert mistakes(store, run) is None
    run.folder.write_logits({"validation": logits, "test": logits})
    found = predictions(store, run)
    assert found.predicted.tolist() == [0, 1, 5, 6, 4]
    assert found.wrong.tolist() == [3, 2] and found.right.tolist() == [1, 4, 0]
    expected = np.exp(3) / (np.exp(3) + 9 * np.exp(-4))
    assert found.confidence[0] == pytest.approx(expected)
    wrong = mistakes(store, run)
    assert wrong.index.tolist() == [2, 3] and wrong.answer.tolist() == [5, 6]
    assert wrong.confidence == pytest.approx(found.confidence[[2, 3]])
    assert [a.dtype for a in vars(wrong).values()] == ["int32", "uint8", "float32"]
    run.folder.write_logits({"validation": logits, "test": logits[:4]})
    with pytest.raises(LabError, match="4 logits, but there are 5 labels"):
        predictions(store, store.get(run.id))
    assert len(logits_and_labels(store, run, "validation")[0]) == 5
    nameless = replace(run, summary=replace(run.summary, data_fingerprint=None))
    with pytest.raises(NotFound):
        predictions(store, nameless)


def random_answers(seed, count=80):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 10)), random.integers(0, 10, count)


def answers(logits, labels):
    shares = special.softmax(logits, axis=1)
    return Predictions(labels, shares.argmax(axis=1), shares.max(axis=1))


@given(st.integers(0, 10**6))
def test_cells_hold_every_image_once_the_most_confident_first(seed):
    logits, labels = random_answers(seed)
    given_ = answers(logits, labels)
    shares = special.softmax(logits, axis=1)
    cells = [given_.in_cell(label, predicted) for label in range(10) for predicted in range(10)]
    assert sorted(np.concatenate(cells)) == list(range(80))
    for number, cell in enumerate(cells):
        assert all(labels[cell] == number // 10)
        assert all(shares[cell].argmax(axis=1) == number % 10)
        assert all(np.diff(shares[cell].max(axis=1)) <= 1e-12)


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_every_image_is_of_all_some_or_none(seed, networks):
    labels = random_answers(seed)[1]
    given_ = [answers(random_answers(seed + n)[0], labels) for n in range(networks)]
    found = agreement(given_)
    right = np.stack([each.correct for each in given_]).sum(axis=0)
    assert sorted([*found.all, *found.some, *found.none]) == list(range(80))
    assert all(right[found.all] == networks) and all(right[found.none] == 0)
    assert all(np.diff(right[found.some]) >= 0)
    assert networks > 1 or not len(found.some)
