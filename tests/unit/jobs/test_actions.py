"""What a visitor may do: read-only labs, limits, and runs that somebody else has begun."""

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from mnist_core.data.drawing_sets import DrawingSet, all_sets, find_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import LabError
from mnist_core.jobs import (
    automatic,
    follow,
    launcher,
    permissions,
    robustness_job,
    spawn,
    visitors,
)
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.follow import Follower, Moment
from mnist_core.jobs.permissions import Visitor
from mnist_core.locks import named_lock
from mnist_core.runs.about import About, about
from mnist_core.runs.process import Process
from mnist_core.runs.states import RunState
from mnist_core.training.cost import Cost
from tests.stores import make_run, quick_config

ANNE, BOB = Visitor(visitors.key_of("anne"), False), Visitor(visitors.key_of("bob"), False)
CARL = Visitor(visitors.key_of("carl"), False)
TEACHER = replace(BOB, trusted=True)
ME = Process.of(1)
INK = np.full((28, 28), 200, np.uint8)
SET = DrawingSet("abcdefgh", "Class 7b")


@pytest.fixture
def started(monkeypatch):
    """The ids of what was launched; each is a queued run, and no process is started."""
    ids = []

    def start(store, config, **_):
        ids.append(config.id)
        return make_run(store, config, state="queued", process=ME)

    monkeypatch.setattr(launcher, "start", start)
    monkeypatch.setattr(launcher, "extend", lambda store, run_id, epochs: ids.append(run_id))
    for name in ("pause", "stop", "take_over"):
        monkeypatch.setattr(launcher, name, lambda store, run_id: ids.append(run_id))
    for name in ("start", "stop"):
        monkeypatch.setattr(robustness_job, name, lambda *given: ids.append(given))
    return ids


@pytest.fixture(autouse=True)
def nothing_against_following(monkeypatch):
    monkeypatch.setattr(follow, "REST", 0.0)
    monkeypatch.setattr(follow, "missing_files", lambda *_: [])
    monkeypatch.setattr(follow.standby, "is_preparing", lambda _: False)
    cheap = Cost(1e-6, 1e-6, 1e-6, start_up=1.0, standby_start=0.1)
    monkeypatch.setattr(follow.cost, "load_similar", lambda *_: cheap)


def everything(act, run):
    """Each thing that a visitor can ask for, with an existing run."""
    drawings = Handwriting(act.store.root, "MNIST")
    return {
        "start": lambda: act.start(quick_config(seed=77)),
        "extend": lambda: act.extend(run.id, 4),
        "follow": lambda: act.follow(Follower(), quick_config(seed=78)),
        "pause": lambda: act.pause(run.id),
        "stop": lambda: act.stop(run.id),
        "take_over": lambda: act.take_over(run.id),
        "annotate": lambda: act.annotate(run.id, About("a label")),
        "delete": lambda: act.delete(run.id),
        "restore": lambda: act.restore(run.id),
        "empty": lambda: act.empty(run.id),
        "set_at_once": lambda: act.set_at_once(2),
        "compute_robustness": lambda: act.compute_robustness([run.id]),
        "stop_robustness": act.stop_robustness,
        "search": lambda: act.search("lr", [], quick_config(seed=79)),
        "pause_search": lambda: act.pause_search("lr"),
        "delete_search": lambda: act.delete_search("lr"),
        "save_drawing": lambda: act.save_drawing(drawings, INK, 3),
        "remove_drawings": lambda: act.remove_drawings(drawings, ["a.png"]),
        "import_drawings": lambda: act.import_drawings(drawings, b""),
        "begin_set": lambda: act.begin_set("Class 7b"),
        "change_set": lambda: act.change_set(SET, open=False),
        "delete_set": lambda: act.delete_set(SET),
    }


READS = {"may_control", "may_control_id", "may_continue", "removable", "may_manage"}
READS |= {"room", "set_owner"}
READS |= {f"check_{name}" for name in ("launch", "upload", "hour", "kept", "trusted", "may_change")}


def test_a_read_only_lab_changes_nothing(store, started, monkeypatch):
    run = make_run(store, quick_config(), state="paused")
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    asked = everything(Actions(store, TEACHER), run)
    assert asked.keys() | READS == {n for n in dir(Actions) if n[0] != "_"} - {"store", "visitor"}
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    for act in asked.values():
        with pytest.raises(LabError, match="only for looking and drawing"):
            act()
    monkeypatch.delenv("MNIST_READ_ONLY")
    for act in everything(Actions(store, replace(ANNE, signed_in=False)), run).values():
        with pytest.raises(LabError, match="Sign in to start, change or keep"):
            act()
    assert not started
    assert before == {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    monkeypatch.setenv("MNIST_READ_ONLY", "0")
    assert asked["start"]().state == RunState.QUEUED


def test_whoever_starts_a_run_can_stop_it(store, started):
    run = Actions(store, ANNE).start(quick_config())
    for act in ("pause", "stop", "take_over", "delete"):
        with pytest.raises(LabError, match="Only they or an administrator can change it"):
            getattr(Actions(store, BOB), act)(run.id)
        for visitor in (ANNE, TEACHER, Visitor()) if act != "delete" else ():
            getattr(Actions(store, visitor), act)(run.id)
    assert started.count(run.id) == 1 + 3 * 3
    paused = make_run(store, quick_config(), state="paused")
    with pytest.raises(LabError, match="Only the person who started this run can continue it"):
        Actions(store, BOB).start(paused.config)
    Actions(store, ANNE).start(paused.config)
    assert Actions(store, BOB).start(paused.config)  # it is in progress: nothing is changed
    assert not Actions(store, BOB).may_control(paused)


def test_a_run_is_labelled_deleted_and_brought_back_by_who_started_it(store, started):
    run = make_run(store, quick_config())
    visitors.set_owner(store, run.id, ANNE.key)
    Actions(store, ANNE).annotate(run.id, About("my first", tags=("class",)))
    assert about(run).label == "my first" and run.id == store.get(run.id).id
    with pytest.raises(LabError, match="Somebody else"):
        Actions(store, BOB).annotate(run.id, About("mine"))
    Actions(store, ANNE).delete(run.id)
    assert not store.list()[0]
    for act in (Actions(store, BOB).restore, Actions(store, BOB).empty):
        with pytest.raises(LabError, match="Somebody else"):
            act(run.id)
    assert about(Actions(store, ANNE).restore(run.id)).tags == ("class",)
    Actions(store, ANNE).delete(run.id)
    Actions(store, ANNE).empty(run.id)
    assert visitors.owner(store, run.id) is None and not list(store.root.glob(".trash/*"))


def test_a_run_trained_anew_does_not_belong_to_whoever_deleted_it(store):
    run = make_run(store, quick_config())
    visitors.set_owner(store, run.id, ANNE.key)
    Actions(store, ANNE).delete(run.id)
    assert visitors.owner(store, run.id) == ANNE.key  # who may undo it
    again = make_run(store, quick_config())
    assert not Actions(store, ANNE).may_control(again)


def test_a_run_from_the_command_line_is_the_administrators(store, started):
    run = make_run(store, state="running", process=Process.of(1))
    assert not Actions(store, ANNE).may_control(run) and Actions(store, TEACHER).may_control(run)


def test_the_secret_itself_is_not_on_the_disk(store, started):
    Actions(store, ANNE).start(quick_config())
    files = [path for path in store.root.rglob("*") if path.is_file()]
    assert any(ANNE.key in path.read_text() for path in files if path.parent.name == ".owners")
    assert not [path for path in files if b"anne" in path.read_bytes() + path.name.encode()]


@pytest.mark.parametrize(
    "limit, words",
    [
        ("epochs = 1", "at most 1 epoch here"),
        ("parameters = 61705", "61,706 parameters; at most 61,705 are allowed"),
        ("waiting = 0", "queue is full .0 runs in progress"),
        ("launches_per_hour = 0", "You may start 0 runs per hour"),
        ("free_gb = 1e9", "must stay free"),
        ("store_gb = 0", "are allowed"),
    ],
)
def test_each_limit_refuses_a_launch_in_a_sentence(store, started, monkeypatch, limit, words):
    make_run(store, quick_config(seed=5))
    monkeypatch.setenv("MNIST_LIMITS", limit)
    for act in (Actions(store, ANNE), Actions(store, TEACHER)):
        with pytest.raises(LabError, match=words):
            act.start(quick_config())
        with pytest.raises(LabError, match=words):
            act.follow(Follower(), quick_config())
    assert not started


def test_a_flood_of_launches_ends_at_the_limit(store, started, monkeypatch):
    monkeypatch.setenv("MNIST_LIMITS", "launches_per_hour = 7")
    refused = []

    def flood(first):
        for seed in range(first, first + 10):
            try:
                Actions(store, ANNE).start(quick_config(seed=seed))
            except LabError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=flood, args=(first,)) for first in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 7 and len(refused) == 23 and "7 runs per hour" in refused[0]
    assert Actions(store, BOB).start(quick_config(seed=99))  # another visitor is not held up
    ledger = store.root / ".visitors" / f"{ANNE.key}.json"
    for seed, seconds in ((98, -visitors.HOUR - 1), (97, visitors.DAY)):  # of a clock set back
        ledger.write_text(json.dumps({"launches": [time.time() + seconds] * 7}))
        assert Actions(store, ANNE).start(quick_config(seed=seed))


def test_the_runs_at_once_keep_to_their_limit(store, monkeypatch):
    store.set_at_once(4)
    monkeypatch.setenv("MNIST_LIMITS", "training = 2")
    assert store.at_once() == 2
    for number in (0, 3):
        with pytest.raises(LabError, match="At most 2 runs"):
            Actions(store).set_at_once(number)
    Actions(store).set_at_once(1)
    assert store.at_once() == 1
    with pytest.raises(LabError, match="administrator"):
        Actions(store, ANNE).set_at_once(1)


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


def test_a_damaged_ledger_or_owner_is_none(store, started):
    act = Actions(store, ANNE)
    run = act.start(quick_config())
    (store.root / ".visitors" / f"{ANNE.key}.json").write_text('{"launches": ["x", NaN, 1e400]}')
    (store.root / ".owners" / run.id).write_bytes(b"\xff" * 500)
    assert act.start(quick_config(seed=2)) and not act.may_control(run)


def test_what_began_by_itself_is_counted_and_owned(store, started, monkeypatch):
    assert Actions(store, ANNE).follow(Follower(), quick_config()) is Moment.STARTED
    assert visitors.done_lately(store, ANNE.key, "launches") == 1
    assert visitors.owner(store, quick_config().id) == ANNE.key


def test_what_is_left_ends_even_if_nothing_more_may_begin(store, started, monkeypatch):
    follower, first = Follower(), make_run(store, quick_config(), state="running", process=ME)
    automatic.mark(store, first.id, follower.visitor)
    monkeypatch.setenv("MNIST_LIMITS", "launches_per_hour = 0")
    assert Actions(store, ANNE).follow(follower, quick_config(seed=2)) is Moment.LEAVING
    assert started == [first.id] and automatic.is_left(store, first.id)  # it was paused
    make_run(store, first.config, state="paused")
    with pytest.raises(LabError, match="You may start 0"):
        Actions(store, ANNE).follow(follower, quick_config(seed=2))
    assert started == [first.id]


def test_looking_at_a_run_of_somebody_else_does_not_take_it_away(store, started):
    anne, bob, run = Follower(), Follower(), quick_config()
    Actions(store, ANNE).follow(anne, run)
    automatic.mark(store, run.id, anne.visitor)  # as the launcher does
    assert Actions(store, BOB).follow(bob, run) is Moment.TRAINING
    assert automatic.marked_for(store, anne.visitor) == [run.id]
    Actions(store, BOB).follow(bob, quick_config(seed=2))
    assert started == [run.id, quick_config(seed=2).id]  # and nothing was paused
    assert Actions(store, TEACHER).follow(bob, run) is Moment.TRAINING
    assert automatic.marked_for(store, bob.visitor) == [run.id]


def test_what_is_left_may_be_trained_on_and_nothing_else(store, started):
    run = make_run(store, quick_config(), state="paused")
    visitors.set_owner(store, run.id, ANNE.key)
    automatic.mark(store, run.id, "tab")
    assert not Actions(store, BOB).may_continue(run)
    automatic.let_go(store, run.id, "tab")
    bob = Actions(store, BOB)
    assert bob.may_continue(run) and not bob.may_control(run)
    for act in (bob.delete, lambda run_id: bob.annotate(run_id, About("mine"))):
        with pytest.raises(LabError, match="Somebody else"):
            act(run.id)
    bob.start(run.config)
    assert visitors.owner(store, run.id) == BOB.key


def test_an_administrator_who_helps_leaves_a_run_its_owner(store, started):
    run = make_run(store, quick_config(), state="paused")
    visitors.set_owner(store, run.id, ANNE.key)
    Actions(store, TEACHER).start(run.config)
    assert visitors.owner(store, run.id) == ANNE.key
    other = make_run(store, quick_config(seed=2), state="paused")  # from the command line
    Actions(store, TEACHER).start(other.config)
    assert visitors.owner(store, other.id) == TEACHER.key


def test_a_launch_that_fails_is_neither_counted_nor_owned(store, monkeypatch):
    def fail(*_, **__):
        raise LabError("The disk is full.")

    monkeypatch.setattr(launcher, "start", fail)
    monkeypatch.setattr(robustness_job, "start", fail)
    act = Actions(store, ANNE)
    for asked in (lambda: act.start(quick_config()), lambda: act.compute_robustness(["a"])):
        with pytest.raises(LabError, match="disk is full"):
            asked()
    assert visitors.done_lately(store, ANNE.key, "launches") == 0
    assert visitors.owner(store, quick_config().id) is None


def test_a_stranger_cannot_take_back_a_pause(store, started):
    run = make_run(store, quick_config(), state="running", process=ME)
    visitors.set_owner(store, run.id, ANNE.key)
    assert Actions(store, BOB).start(run.config).id == run.id and not started
    Actions(store, ANNE).start(run.config)
    assert started == [run.id]


def test_whatever_begins_waits_for_other_launches(store, started, monkeypatch):
    monkeypatch.setattr("mnist_core.jobs.actions.PATIENCE", 0.0)
    act = Actions(store, ANNE)
    with named_lock(store.root, "launches"):
        for asked in (
            lambda: act.start(quick_config()),
            lambda: act.follow(Follower(), quick_config()),
            lambda: act.compute_robustness(["a"]),
        ):
            with pytest.raises(LabError, match="Others are starting"):
                asked()
    assert not started


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


def test_the_parameters_of_every_network_are_limited(store, started, monkeypatch):
    monkeypatch.setattr(spawn, "ask", lambda *_: [{"name": "added", "parameters": 7}])
    monkeypatch.setenv("MNIST_LIMITS", "parameters = 6")
    act = Actions(store, ANNE)
    with monkeypatch.context() as more_classes:
        more_classes.setattr(permissions, "stats_for", lambda *_: {"convolutions": 2})
        with pytest.raises(LabError, match=r"61,706 parameters; at most 6 are"):
            act.start(quick_config())
    for name, words in (("added", "7 parameters; at most 6 are"), ("unheard-of", "not known")):
        with pytest.raises(LabError, match=words):
            act.start(replace(quick_config(), model=name))
    assert not started


def test_a_lab_of_ones_own_keeps_no_owners(store, started):
    Actions(store).start(quick_config())
    assert not (store.root / ".owners").exists()
