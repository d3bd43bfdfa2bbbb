"""What a visitor may do: read-only labs, limits, and runs that somebody else has begun."""

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import EVERYBODY, Source, TuningSet
from mnist_core.errors import LabError
from mnist_core.jobs import launcher, permissions, robustness_job, spawn, visitors
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.follow import Follower
from mnist_core.jobs.permissions import Visitor
from mnist_core.locks import named_lock
from mnist_core.runs.about import About, about
from mnist_core.runs.process import Process
from mnist_core.runs.states import RunState
from tests.stores import make_run, quick_config
from tests.unit.jobs.people import ANNE, BOB, INK, ME, SET, TEACHER

NO_DRAWINGS = TuningSet(
    "MNIST", Source(EVERYBODY), (), np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64)
)
pytestmark = pytest.mark.usefixtures("nothing_against_following")


def everything(act, run):
    """Each thing that a visitor can ask for, with an existing run."""
    drawings = Handwriting(act.store.root, "MNIST")
    return {
        "start": lambda: act.start(quick_config(seed=77)),
        "extend": lambda: act.extend(run.id, 4),
        "fine_tune": lambda: act.fine_tune(run, NO_DRAWINGS, "all"),
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


def test_a_damaged_ledger_or_owner_is_none(store, started):
    act = Actions(store, ANNE)
    run = act.start(quick_config())
    (store.root / ".visitors" / f"{ANNE.key}.json").write_text('{"launches": ["x", NaN, 1e400]}')
    (store.root / ".owners" / run.id).write_bytes(b"\xff" * 500)
    assert act.start(quick_config(seed=2)) and not act.may_control(run)


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
