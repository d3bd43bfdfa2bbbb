"""A study is deleted from its storage and from the run store."""

import pytest

from mnist_core.errors import LabError, NotFound
from mnist_core.jobs import sweep_job
from mnist_core.sweeps.collect import collect
from mnist_core.sweeps.deleting import delete_study
from mnist_core.sweeps.keeping import Keeper, artifact_store
from mnist_core.sweeps.storage import JOURNAL, open_storage
from mnist_core.sweeps.study import find_study
from mnist_core.sweeps.table import table_names
from tests.unit.sweeps.studies import Training, study_in, worker


def test_a_deleted_study_is_gone_and_its_best_runs_stay(store):
    weights = store.root / "weights"
    study, other = study_in(store, trials=3), study_in(store, name="other", trials=1)
    study.keep("artifacts", str(weights))
    for each in (study, other):
        worker(each, store).work()
        collect(each, store, Keeper(each, artifact_store(str(weights))))
    with sweep_job.registered(store, "lr"), pytest.raises(LabError, match="pause it first"):
        delete_study(store, None, "lr")
    delete_study(store, None, "lr")
    url = str(store.root / JOURNAL)
    with pytest.raises(NotFound):
        find_study(open_storage(url), url, "lr")
    assert find_study(open_storage(url), url, "other").status()["trials_done"] == 1
    assert table_names(store) == ["other"] and len(list(weights.iterdir())) == 1
    assert not store.sweep_path("lr").exists() and not sweep_job.folder(store, "lr").exists()
    kept, _ = store.list()
    assert len(kept) == 4 and all(run.has_weights for run in kept)
    with pytest.raises(NotFound):
        delete_study(store, None, "lr")
    with pytest.raises(LabError):
        delete_study(store, None, "../lr")


def test_a_study_that_ships_needs_no_storage_to_be_deleted(store):
    study = study_in(store, trials=1)
    worker(study, store).work()
    collect(study, store, Keeper(study, artifact_store(str(store.root / "weights"))))
    (store.root / JOURNAL).unlink()
    delete_study(store, None, "lr")
    assert table_names(store) == [] and not (store.root / JOURNAL).exists()


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_worker_whose_study_is_deleted_says_so(store, epoch):
    study = study_in(store, trials=2)

    def delete(_, at):
        if at == epoch:
            open_storage(str(store.root / JOURNAL)).delete_study(study.optuna_study._study_id)

    with pytest.raises(NotFound, match="lr was deleted from"):
        worker(study, store, Training(delete)).work()
