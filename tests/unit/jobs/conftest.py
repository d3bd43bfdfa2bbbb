"""What is launched for visitors, without processes."""

import pytest

from mnist_core.jobs import follow, launcher, robustness_job
from mnist_core.training.cost import Cost
from tests.stores import make_run
from tests.unit.jobs.people import ME


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


@pytest.fixture
def nothing_against_following(monkeypatch):
    monkeypatch.setattr(follow, "REST", 0.0)
    monkeypatch.setattr(follow, "missing_files", lambda *_: [])
    monkeypatch.setattr(follow.standby, "is_preparing", lambda _: False)
    cheap = Cost(1e-6, 1e-6, 1e-6, start_up=1.0, standby_start=0.1)
    monkeypatch.setattr(follow.cost, "load_similar", lambda *_: cheap)
