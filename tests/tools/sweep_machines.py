"""Four workers with a store each share a study in PostgreSQL, and nearly everything goes wrong.

    python -m tests.tools.sweep_machines [--trials 100] [--stopped 60]

Two workers reach the database themselves, two through Optuna's gRPC proxy. Two are killed, one is
stopped for a minute and continued, and the server is restarted. Real trials of one epoch on 240
images. Prints one JSON object; exit status 1 unless all trials are done, once each, and collected.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mnist_core.runs.store import RunStore
from mnist_core.sweeps.collect import collect
from mnist_core.sweeps.keeping import Keeper, artifact_store
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.storage import open_storage
from mnist_core.sweeps.study import Study, make_study
from tests.idx_data import write_dataset
from tests.postgres import PASSWORD, grpc_proxy, postgres

SPACE = {"lr": "1e-3..0.3:log", "dropout": "0..0.5", "epochs": 1}
PATIENCE = 900.0  # seconds for everything


class Machines:
    """The workers, each with a store and a log of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, write_dataset(folder / "data")
        self.workers: list[subprocess.Popen[bytes]] = []

    def add(self, url: str) -> None:
        own = self.folder / f"machine{len(self.workers)}"
        own.mkdir()
        paths = {"MNIST_CHECKPOINTS": str(own / "store"), "MNIST_DATA": str(self.data)}
        command = ["sweep-worker", "--name", "shared", "--artifacts", str(self.folder / "weights")]
        with (own / "log").open("wb") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "mnist_core", *command],
                    env={**os.environ, **paths, "MNIST_STUDIES": url},
                    stdout=log,
                    stderr=log,
                )
            )

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("machine*/log"))


def wait_for(study: Study, count: int, deadline: float) -> None:
    while study.status()["trials_done"] < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"too slow: {study.status()}")
        time.sleep(0.5)


def share(folder: Path, trials: int, stopped: float) -> dict[str, object]:
    began, deadline = time.monotonic(), time.monotonic() + PATIENCE
    machines = Machines(folder)
    with postgres(folder / "server") as server, grpc_proxy(server) as proxy:
        plan = Plan(read_space(SPACE, "grid"), "random", "none")
        study = make_study(open_storage(server.url), server.url, "shared", plan, trials)
        for url in (server.url, server.url, proxy, proxy):
            machines.add(url)
        first, second, third, fourth = machines.workers
        wait_for(study, trials // 10, deadline)
        first.send_signal(signal.SIGKILL)
        second.send_signal(signal.SIGSTOP)
        halted = time.monotonic()
        wait_for(study, trials // 4, deadline)
        server.stop()
        time.sleep(2)
        server.start()
        wait_for(study, trials // 3, deadline)
        third.send_signal(signal.SIGKILL)
        time.sleep(max(0.0, stopped - (time.monotonic() - halted)))
        second.send_signal(signal.SIGCONT)
        for worker in (second, fourth):
            worker.wait(timeout=deadline - time.monotonic())
        took = time.monotonic() - began
        store = RunStore(folder / "home")
        brought = collect(study, store, Keeper(study, artifact_store(str(folder / "weights"))))
        done = [t for t in study.optuna_study.get_trials() if t.state.name == "COMPLETE"]
        return {
            "trials": trials,
            "done": len(done),
            "different_runs": len({t.user_attrs["runs"][0]["id"] for t in done}),
            "failed": study.status()["trials_failed"],
            "exit_statuses": [worker.returncode for worker in machines.workers],
            "runs_brought_home": brought["runs"],
            "with_weights": brought["with_weights"],
            "password_in_logs": PASSWORD in machines.logs(),
            "seconds": round(took),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--stopped", type=float, default=60.0, help="seconds")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    result = share(folder, options.trials, options.stopped)
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result))
    counts = ("done", "different_runs", "runs_brought_home")
    whole = all(result[name] == options.trials for name in counts)
    return 0 if whole and not result["failed"] and not result["password_in_logs"] else 1


if __name__ == "__main__":
    sys.exit(main())
