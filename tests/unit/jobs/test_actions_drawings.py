"""What a visitor may do with drawings and sets of them."""

import threading

import pytest

from mnist_core.data.drawing_sets import all_sets, find_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import LabError
from mnist_core.jobs import visitors
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.permissions import Visitor
from tests.unit.jobs.people import ANNE, BOB, CARL, INK, TEACHER


def test_drawings_are_counted_and_removed_by_who_saved_them(store, monkeypatch):
    monkeypatch.setenv("MNIST_LIMITS", "drawings = 2\nuploads_per_hour = 1")
    drawings = Handwriting(store.root, "MNIST")
    for visitor in (ANNE, ANNE, BOB):
        Actions(store, visitor).save_drawing(drawings, INK, 3)
    with pytest.raises(LabError, match="keep at most 2 drawings"):
        Actions(store, ANNE).save_drawing(drawings, INK, 3)
    names = [sample.file for sample in drawings.samples()]
    with pytest.raises(LabError, match="Only the person who saved this drawing"):
        Actions(store, BOB).remove_drawings(drawings, names)
    Actions(store, ANNE).remove_drawings(drawings, names[:1])
    Actions(store, ANNE).save_drawing(drawings, INK, 4)
    other = Handwriting(store.root / "other", "MNIST")
    for _ in range(2):
        other.add(INK, 5)
    with pytest.raises(LabError, match="holds 2 new drawings; 1 are allowed"):
        Actions(store, BOB).import_drawings(drawings, other.to_zip())
    with pytest.raises(LabError, match="upload 1 file per hour"):
        Actions(store, BOB).import_drawings(drawings, other.to_zip())
    Actions(store, TEACHER).remove_drawings(drawings, [s.file for s in drawings.samples()])
    assert not drawings.samples()
    assert Actions(store, ANNE).room() == 2
    Actions(store, ANNE).save_drawing(Handwriting(store.root, "KMNIST"), INK, 4)
    assert Actions(store, ANNE).room() == 1  # of all data sets together


def test_exactly_what_a_zip_adds_is_owned(store, monkeypatch):
    drawings, other = (Handwriting(root, "MNIST") for root in (store.root, store.root / "other"))
    added, read = other.add(INK, 5), Handwriting.from_zip

    def from_zip(own, content, room=None, owner=""):
        drawings.add(INK, 6)  # somebody else saves one meanwhile
        return read(own, content, room, owner)

    monkeypatch.setattr(Handwriting, "from_zip", from_zip)
    assert Actions(store, ANNE).import_drawings(drawings, other.to_zip()) == 1
    owned = [sample.file for sample in drawings.samples() if sample.owner == ANNE.key]
    assert owned == [added.file]


def test_a_drawing_whose_owner_is_in_a_file_of_its_own_stays_that_visitors(store):
    """As versions kept it that wrote no owner into the table."""
    drawings = Handwriting(store.root, "MNIST")
    sample = drawings.add(INK, 3)
    visitors.set_owner(store, f"MNIST-{sample.file}", ANNE.key)
    assert Actions(store, BOB).removable(drawings, [sample]) == []
    Actions(store, ANNE).remove_drawings(drawings, [sample.file])
    assert not drawings.samples() and not list((store.root / ".owners").iterdir())


def test_who_begins_a_set_manages_it_and_drawings_count_in_all_sets(store, monkeypatch):
    monkeypatch.setenv("MNIST_LIMITS", "sets = 1\ndrawings = 2")
    one = Actions(store, ANNE).begin_set("Class 7b")
    with pytest.raises(LabError, match="at most 1 set of"):
        Actions(store, ANNE).begin_set("Class 8b")
    own = Handwriting(store.root, "MNIST", one.key)
    Actions(store, BOB).save_drawing(own, INK, 3, "Bob")
    Actions(store, BOB).save_drawing(Handwriting(store.root, "MNIST"), INK, 3)
    with pytest.raises(LabError, match="keep at most 2 drawings"):
        Actions(store, BOB).save_drawing(own, INK, 3)
    (sample,) = own.samples()
    assert (sample.author, sample.owner) == ("Bob", BOB.key)
    with pytest.raises(LabError, match="Only the person who saved this drawing"):
        Actions(store, CARL).remove_drawings(own, [sample.file])
    Actions(store, ANNE).remove_drawings(own, [sample.file])
    assert not own.samples()
    for act in (Actions(store, BOB).change_set, Actions(store, BOB).delete_set):
        with pytest.raises(LabError, match="Only the person who began this set"):
            act(one)
    Actions(store, ANNE).change_set(one, open=False)
    with pytest.raises(LabError, match="This set is closed"):
        Actions(store, Visitor()).save_drawing(own, INK, 3)
    assert not find_set(store.root, one.key).open
    Actions(store, TEACHER).delete_set(one)
    assert all_sets(store.root) == [] and Actions(store, ANNE).removable(own, [sample]) == []


def test_no_note_is_lost_when_many_come_at_once(store):
    def note():
        for _ in range(10):
            visitors.note(store, ANNE.key, "uploads", most=35)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert visitors.done_lately(store, ANNE.key, "uploads") == 35


def test_a_read_only_lab_counts_uploads_and_writes_nothing(store, monkeypatch):
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    monkeypatch.setenv("MNIST_LIMITS", "uploads_per_hour = 2")
    for _ in range(2):
        Actions(store, ANNE).check_upload()
    with pytest.raises(LabError, match="You may upload 2"):
        Actions(store, ANNE).check_upload()
    Actions(store, BOB).check_upload()
    monkeypatch.setattr(visitors, "HOUR", 0.0)
    Actions(store, BOB).check_upload()
    assert not list(store.root.rglob("*")) and len(visitors._kept) <= 1
