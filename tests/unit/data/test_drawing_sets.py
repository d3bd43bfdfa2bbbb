"""Sets of drawings: found by their key alone, and apart from each other."""

import json
import multiprocessing
import os

import numpy as np
import pytest

from mnist_core.data import drawing_sets
from mnist_core.data.drawing_sets import (
    ALPHABET,
    all_sets,
    begin_set,
    change_set,
    delete_set,
    find_set,
)
from mnist_core.data.handwriting import Handwriting, all_drawings
from mnist_core.errors import InputError, LabError, NotFound

INK = np.full((28, 28), 200, np.uint8)


def of(root, one, dataset="MNIST"):
    return Handwriting(root, dataset, one.key)


def test_sets_do_not_mix(tmp_path):
    a, b = (begin_set(tmp_path, name) for name in ("Class 7b", "Class 7b"))
    assert a.key != b.key and find_set(tmp_path, a.key) == a
    saved = of(tmp_path, a).add(INK, 3, "Anna")
    Handwriting(tmp_path, "MNIST").add(INK, 4)
    of(tmp_path, a, "KMNIST").add(INK, 5)
    assert of(tmp_path, a).samples() == [saved] and not of(tmp_path, b).samples()
    assert [one.label for one in Handwriting(tmp_path, "MNIST").samples()] == [4]
    assert {(each.set_key, each.dataset) for each in all_drawings(tmp_path)} == {
        (None, "MNIST"),
        (a.key, "MNIST"),
        (a.key, "KMNIST"),
    }


def test_a_key_cannot_be_guessed_or_misread():
    keys = {drawing_sets.new_key() for _ in range(200)}
    assert len(keys) == 200 and len(ALPHABET) ** 8 > 2**39
    assert not set("".join(keys)) & set("il1o0")


@pytest.mark.parametrize(
    "key", ["", "../../etc", "abcd", "ABCDEFGH", "abcdefgh\n", "a" * 9, None, 7]
)
def test_what_is_no_key_never_names_a_path(tmp_path, key):
    (tmp_path / "etc").mkdir()
    for act in (find_set, delete_set, change_set):
        with pytest.raises(NotFound, match="no such set"):
            act(tmp_path, key)
    if key is not None:
        with pytest.raises(NotFound):
            Handwriting(tmp_path, "MNIST", key)
    assert [path.name for path in tmp_path.iterdir()] == ["etc"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "\ud800", 7, None])
def test_a_name_is_a_few_words(tmp_path, name):
    with pytest.raises(InputError, match="1 to 60 characters"):
        begin_set(tmp_path, name)
    assert all_sets(tmp_path) == []


def test_a_closed_set_takes_no_drawings_and_a_deleted_one_does_not_come_back(tmp_path):
    one = begin_set(tmp_path, "Class 7b")
    own = of(tmp_path, one)
    saved = own.add(INK, 3)
    change_set(tmp_path, one.key, name="  Class   8b ", open=False)
    assert find_set(tmp_path, one.key).name == "Class 8b"
    for add in (lambda: own.add(INK, 3), lambda: own.from_zip(own.to_zip())):
        with pytest.raises(LabError, match="This set is closed"):
            add()
    own.remove(saved.file)
    change_set(tmp_path, one.key, open=True)
    own.add(INK, 4)
    delete_set(tmp_path, one.key)
    with pytest.raises(NotFound, match="the set was deleted"):
        own.add(INK, 5)
    assert all_sets(tmp_path) == [] and own.samples() == []
    assert not list((tmp_path / "handwriting" / "_sets").iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'{"name": 7, "open": "yes"}', b'{"name": "\\ud800"}']
)
def test_a_damaged_description_leaves_the_drawings(tmp_path, content):
    one = begin_set(tmp_path, "Class 7b", owner="anne")
    own = of(tmp_path, one)
    saved = own.add(INK, 3)
    (own.folder.parent / "set.json").write_bytes(content)
    found = find_set(tmp_path, one.key)
    assert (found.name, found.owner, found.open, found.damaged) == (one.key, "", False, True)
    assert own.samples() == [saved] and all_sets(tmp_path) == [found]
    with pytest.raises(LabError, match="closed"):  # as it may have been
        own.add(INK, 3)
    assert change_set(tmp_path, one.key, name="Class 7b", open=True).name == "Class 7b"
    assert not find_set(tmp_path, one.key).damaged and own.add(INK, 3)
    (aside,) = own.folder.parent.glob("damaged-*.json")
    assert aside.read_bytes() == content


def test_one_owner_has_so_many_sets_and_the_store_so_many_in_use(tmp_path, monkeypatch):
    for _ in range(2):
        begin_set(tmp_path, "a", "anne", most=2)
    with pytest.raises(LabError, match="at most 2 sets"):
        begin_set(tmp_path, "a", "anne", most=2)
    used = begin_set(tmp_path, "a", "bob", most=2)
    of(tmp_path, used).add(INK, 1)
    monkeypatch.setattr(drawing_sets, "MOST_SETS", 3)
    with pytest.raises(LabError, match="3 sets of drawings at most"):
        begin_set(tmp_path, "a")
    for one in all_sets(tmp_path):
        os.utime(drawing_sets.set_folder(tmp_path, one.key), (1.0, 1.0))
    new = begin_set(tmp_path, "b")  # empty ones of long ago made room
    assert {one.key for one in all_sets(tmp_path)} == {used.key, new.key}


def _save_ten(root, key, digit):
    own = Handwriting(root, "MNIST", key)
    for _ in range(10):
        own.add(INK, digit)


def test_processes_that_save_at_once_lose_nothing(tmp_path):
    one = begin_set(tmp_path, "Class 7b")
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(target=_save_ten, args=(tmp_path, one.key, digit)) for digit in range(3)
    ]
    for each in others:
        each.start()
    for each in others:
        each.join()
    labels = [sample.label for sample in of(tmp_path, one).samples()]
    assert sorted(labels) == sorted([0, 1, 2] * 10)


def test_the_description_is_plain_json(tmp_path):
    one = begin_set(tmp_path, "Klasse 7b ☀", owner="abc")
    found = json.loads((tmp_path / "handwriting/_sets" / one.key / "set.json").read_text("utf-8"))
    assert (found["name"], found["open"], found["owner"]) == ("Klasse 7b ☀", True, "abc")
    assert one.begun_at() > 1.7e9
