"""What a sweep costs beside training: sampling, storage, report.

    python -m tests.tools.sweep_speed overhead [--storage journal|postgresql] [--trials 1000]
    python -m tests.tools.sweep_speed many [--workers 100] [--trials 5000] [--seconds 10]
        [--threads 25] [--sampler random]

`overhead`: training costs nothing; after so many trials, the time of each of the next 20.
`many`: as many workers, `--threads` of them to a process, which share a connection pool and what is
read, on PostgreSQL; training is a sleep of about `--seconds`. Prints one JSON object.
"""

import argparse
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import psutil
import sqlalchemy

from mnist_core.runs.folder import HISTORY
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.record import RecordedRun
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.storage import JOURNAL, open_storage
from mnist_core.sweeps.study import Study, find_study, make_study
from mnist_core.sweeps.worker import Worker
from tests.postgres import postgres

SPACE = {
    "lr": "1e-4..1:log",
    "batch_size": "32,64,128,256",
    "activation": "any",
    "dropout": "0..0.5",
    "optimizer": "any",
    "momentum": "0..0.99",
    "weight_decay": "1e-6..1e-2:log",
    "schedule": "any",
    "epochs": 5,
}
NAME = "speed"
MEASURED = 20


def trained(store, config, execution, *, on_progress, signalled, seconds=0.0):
    """Stands in for training: five epochs with a made-up accuracy."""
    rows = []
    for epoch in range(1, config.epochs + 1):
        time.sleep(seconds * random.uniform(0.5, 1.5) / config.epochs)
        value = random.random()
        rows.append({**dict.fromkeys(HISTORY, 0.5), "epoch": epoch, "validation_accuracy": value})
        on_progress({"phase": "epoch", **rows[-1]})
    summary = Summary(RunState.DONE, epochs_done=len(rows), best_epoch=1, validation_accuracy=value)
    return RecordedRun(store.root / config.id, config, summary, rows)


def worker(study: Study, folder: Path, seconds: float = 0.0) -> Worker:
    def train(*args, **calls):
        return trained(*args, **calls, seconds=seconds)

    return Worker(study, RunStore(folder), str(folder / "weights"), lambda: False, train_one=train)


def overhead(url: str, folder: Path, trials: int, sampler: str) -> dict[str, object]:
    plan = Plan(read_space(SPACE, "grid"), sampler, "none")
    study = make_study(open_storage(url), url, NAME, plan, trials)
    began = time.perf_counter()
    worker(study, folder).work()
    filling = time.perf_counter() - began
    longer = make_study(open_storage(url), url, NAME, plan, trials + MEASURED)
    last = worker(longer, folder)
    longer.trials()  # a worker that goes on has read them long ago
    before = commits(url) if is_database(url) else None
    times, cpu = [time.perf_counter()], time.process_time()
    last.on_trial = lambda _: times.append(time.perf_counter())
    last.work()
    cpu = time.process_time() - cpu
    each = [after - before for before, after in pairwise(times)]
    return {
        "trials_before": trials,
        "sampler": sampler,
        "milliseconds_median": round(1000 * statistics.median(each), 1),
        "milliseconds_most": round(1000 * max(each), 1),
        "cpu_milliseconds_mean": round(1000 * cpu / MEASURED, 1),
        "seconds_for_all_before": round(filling, 1),
        "commits_a_trial": None if before is None else (commits(url) - before) / MEASURED,
    }


def is_database(url: str) -> bool:
    return "://" in url


def many(url: str, folder: Path, options: argparse.Namespace) -> dict[str, object]:
    workers, trials, seconds = options.workers, options.trials or 5000, options.seconds
    plan = Plan(read_space(SPACE, "grid"), options.sampler or "random", "none")
    study = make_study(open_storage(url), url, NAME, plan, trials)
    began, each = time.perf_counter(), options.threads
    command = [sys.executable, "-m", "tests.tools.sweep_speed", "threads", "--url", url]
    processes = [
        subprocess.Popen(
            [*command, "--workers", str(min(each, workers - first)), "--seconds", str(seconds)]
        )
        for first in range(0, workers, each)
    ]
    for process in processes:
        process.wait()
    took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = study.status()
    done = max(status["trials_done"], 1)
    return {
        "workers": workers,
        "threads_to_a_process": each,
        "sampler": plan.sampler,
        "trials": trials,
        "seconds_of_a_trial": seconds,
        "done": status["trials_done"],
        "begun_in_vain": len(study.optuna_study.get_trials(deepcopy=False)) - trials,
        "seconds": round(took, 1),
        "trials_a_second": round(status["trials_done"] / took, 2),
        "at_most": round(workers / seconds, 2),
        "workers_cpu_milliseconds_a_trial": round(1000 * (used.ru_utime + used.ru_stime) / done, 1),
        "server_cpu_milliseconds_a_trial": round(1000 * server_cpu(folder) / done, 1),
        "commits_a_trial": round(commits(url) / done, 1),
    }


def server_cpu(folder: Path) -> float:
    """Seconds of CPU that PostgreSQL has used, by all processes that it ever had."""
    pid = int((folder / "server" / "data" / "postmaster.pid").read_text().split()[0])
    times = psutil.Process(pid).cpu_times()
    living = [child.cpu_times() for child in psutil.Process(pid).children()]
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(each.user + each.system for each in living)


def commits(url: str) -> int:
    with sqlalchemy.create_engine(url).connect() as connection:
        found = connection.execute(
            sqlalchemy.text(
                "select sum(xact_commit) from pg_stat_database where datname is not null"
            )
        )
        return int(found.scalar_one())


def threads(url: str, workers: int, seconds: float) -> None:
    storage = open_storage(url)

    def work() -> None:
        folder = Path(tempfile.mkdtemp())
        worker(find_study(storage, url, NAME), folder, seconds).work()
        shutil.rmtree(folder, ignore_errors=True)

    all_of_them = [threading.Thread(target=work) for _ in range(workers)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("overhead", "many", "threads"))
    parser.add_argument("--storage", choices=("journal", "postgresql"), default="journal")
    parser.add_argument("--sampler", help="by default tpe for one worker, random for many")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--threads", type=int, default=25, help="to a process")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--url")
    options = parser.parse_args()
    if options.what == "threads":
        return threads(options.url, options.workers, options.seconds)
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    with ExitStack() as stack:
        url = str(folder / JOURNAL)
        if options.what == "many" or options.storage == "postgresql":
            url = stack.enter_context(postgres(folder / "server", connections=500)).url
        if options.what == "overhead":
            found = overhead(url, folder, options.trials or 1000, options.sampler or "tpe")
            found["storage"] = options.storage
        else:
            found = many(url, folder, options)
        print(json.dumps(found))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
