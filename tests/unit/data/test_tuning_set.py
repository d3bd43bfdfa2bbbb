"""The drawings that a network is fine-tuned on."""

import numpy as np
import pytest

from mnist_core.data.drawing_sets import begin_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import (
    Source,
    check_enough,
    lacking,
    read_tuning_set,
    source_of,
)
from mnist_core.errors import InputError, NotFound

EVERYBODY = Source("everybody")


def save(own, count, classes=10, seed=0):
    random = np.random.default_rng(seed)
    for number in range(count):
        own.add(random.integers(1, 255, (28, 28), np.uint8), number % classes)


def test_the_same_drawings_are_the_same_under_any_name_and_in_any_order(store, tmp_path):
    one = begin_set(store.root, "Class 7b")
    own = Handwriting(store.root, "MNIST", one.key)
    save(own, 12)
    first = read_tuning_set(store.root, "MNIST", Source("set", one.key))
    assert len(first) == 12 and sorted(first.labels) == sorted(n % 10 for n in range(12))
    by_file = {sample.file: sample for sample in own.samples()}
    for file, image, label in zip(first.files, first.images, first.labels, strict=True):
        assert np.array_equal(own.image(by_file[file]), image) and by_file[file].label == label
    file = tmp_path / "drawings.zip"
    file.write_bytes(own.to_zip())
    again = read_tuning_set(store.root, "MNIST", source_of(str(file)))
    other = Handwriting(store.root, "MNIST")
    for sample in reversed(own.samples()):
        other.add(own.image(sample), sample.label)
    copied = read_tuning_set(store.root, "MNIST", EVERYBODY)
    assert first.fingerprint == again.fingerprint == copied.fingerprint
    assert np.array_equal(first.images, copied.images)
    assert first.only(first.files[1:]).fingerprint != first.fingerprint
    other.add(first.images[0], int(first.labels[0]))
    assert read_tuning_set(store.root, "MNIST", EVERYBODY).fingerprint != first.fingerprint


def test_too_few_drawings_and_those_of_others_are_refused_in_a_sentence(store):
    def check(dataset="MNIST", guarded=True):
        drawings = read_tuning_set(store.root, dataset, EVERYBODY)
        check_enough(store.root, drawings, guarded=guarded)

    with pytest.raises(InputError, match="digits: there are no drawings for MNIST; draw some"):
        check()
    own = Handwriting(store.root, "MNIST")
    save(own, 9, classes=2)
    with pytest.raises(
        InputError, match=r"digits: there are 9 drawings; a network needs 10 to 2,000"
    ):
        check()
    with pytest.raises(InputError, match="no drawings for KMNIST, but 9 for MNIST; choose a net"):
        check("KMNIST")
    save(own, 3, classes=1, seed=1)
    check()
    with pytest.raises(InputError, match="without MNIST's images .* too few of 2, 3, .* and 9"):
        check(guarded=False)
    save(own, 20, seed=2)
    check(guarded=False)
    copies = Handwriting(store.root, "KMNIST")
    for number in range(12):
        copies.add(np.full((28, 28), 9 + number % 4, np.uint8), 3)
    with pytest.raises(InputError, match="are 12 drawings, but only 4 different; a network needs"):
        check("KMNIST")
    assert lacking(store.root, read_tuning_set(store.root, "MNIST", EVERYBODY), guarded=True) == ""


def test_what_is_no_source_is_refused(store, tmp_path):
    with pytest.raises(InputError, match="digits: 'nothing' was given; allowed is everybody"):
        source_of("nothing")
    with pytest.raises(NotFound, match="no such set of drawings"):
        read_tuning_set(store.root, "MNIST", source_of("abcdefgh"))
    (tmp_path / "bad.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match="no zip of drawings"):
        read_tuning_set(store.root, "MNIST", source_of(str(tmp_path / "bad.zip")))
