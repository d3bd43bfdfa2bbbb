"""Which state of a run may follow which, and that a summary on disk obeys."""

from dataclasses import replace

import pytest

from mnist_core.errors import LabError
from mnist_core.runs.states import FINISHED, LIVE, RESUMABLE, RunState, can_follow
from mnist_core.runs.summary import Summary
from tests.stores import make_run


def test_every_state_is_live_resumable_or_finished():
    assert sorted([*LIVE, *RESUMABLE, *FINISHED]) == sorted(RunState)


@pytest.mark.parametrize("old", RunState)
def test_a_finished_run_stays_as_it_is_and_only_training_finishes_one(old):
    after = {new for new in RunState if can_follow(old, new)}
    if old in FINISHED:
        assert after == {old}
    else:
        unfinished = set(RunState) - set(FINISHED)
        assert after == (set(RunState) if old == RunState.RUNNING else unfinished)


def test_a_change_that_is_not_allowed_leaves_the_summary_on_disk(store):
    run = make_run(store, state="done")
    with pytest.raises(LabError, match=f"{run.id} is done; it cannot become queued"):
        run.folder.write_summary(replace(run.summary, state=RunState.QUEUED))
    assert store.get(run.id).summary == run.summary
    run.folder.write_summary(replace(run.summary, note="packed"))
    assert store.get(run.id).summary.note == "packed"


def test_a_state_is_plain_text_outside_the_program():
    """The class of an enumeration would keep a resume state from loading."""
    assert type(Summary("done").to_dict()["state"]) is str
