"""PostgreSQL, restarted while workers use it, directly and through Optuna's gRPC proxy."""

import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mnist_core.runs.store import RunStore
from mnist_core.sweeps.collect import collect
from mnist_core.sweeps.keeping import Keeper, artifact_store
from mnist_core.sweeps.storage import open_storage
from mnist_core.sweeps.study import find_study
from tests.postgres import PASSWORD, grpc_proxy, postgres, programs
from tests.unit.sweeps.studies import Training, study_in, worker

pytestmark = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


@pytest.fixture
def server():
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        with postgres(folder / "server") as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_workers_share_a_study_while_the_server_is_restarted(server, store, tmp_path):
    pytest.importorskip("grpc")
    study = study_in(store, url=server.url, trials=12, pruner="none")
    begun, trainings = threading.Event(), [Training(lambda *_: begun.set()) for _ in range(2)]
    weights = str(tmp_path / "weights")
    with grpc_proxy(server) as proxy:

        def work(url, training):
            own = RunStore(tmp_path / str(id(training)))
            found = find_study(open_storage(url), url, "lr")
            found_worker = worker(found, own, training)
            found_worker.trials.keeper.store = artifact_store(weights)
            found_worker.work()

        urls = (server.url, proxy)
        with ThreadPoolExecutor() as pool:
            working = [pool.submit(work, *pair) for pair in zip(urls, trainings, strict=True)]
            begun.wait(300)
            server.stop()
            server.start()
        for worker_done in working:
            worker_done.result()
    status = study.status()
    assert status["trials_done"] == 12 and len(study.optuna_study.get_trials()) <= 14
    assert PASSWORD not in str(status)
    trained = [run for training in trainings for run in training.trained]
    assert len({t.user_attrs["runs"][0]["id"] for t in study.trials()}) == 12 <= len(trained)
    brought = collect(study, store, Keeper(study, artifact_store(weights)))
    assert brought == {"runs": 12, "with_weights": 10}
