"""What all parts of the fault test need: runs to kill, and whether they end in the same bits."""

from __future__ import annotations

import psutil

from mnist_core.config import Execution, RunConfig
from mnist_core.files import read_bytes
from mnist_core.jobs import standby
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.extend import RECORDED
from mnist_core.runs.folder import HISTORY
from mnist_core.runs.run import Run
from mnist_core.runs.snapshots import SNAPSHOTS
from mnist_core.runs.store import RunStore
from tests.tools.live_server import require

TIMING = ("seconds", "images_per_second")  # all of a history that may differ


def two_configs(epochs: int) -> list[RunConfig]:
    """All that is random in training, and a schedule that depends on where it is."""
    short = {"epochs": epochs, "batch_size": 32}
    moved = {"dropout": 0.25, "rotation": 10, "shift": 1, "lr": 0.02, "optimizer": "SGD"}
    moved |= {"warmup": 0.5}
    cycle = {"optimizer": "Adam", "lr": 0.003, "schedule": "one-cycle", "seed": 2}
    cycle |= {"elastic": 1.0, "zoom": 0.1, "flip": 0.5, "cutout": 6, "ema": 0.95}
    return [make_config("lenet5", **short, **fields) for fields in (moved, cycle)]


def trainers(store: RunStore) -> list[int]:
    """The pids of all processes that train in this store; one on standby does not."""
    found, idle = [], standby.find(store)
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE or "train" not in process.cmdline():
                continue
            ours = process.environ().get("MNIST_CHECKPOINTS") == str(store.root.resolve())
            if ours and not (idle and idle.process.pid == process.pid):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def all_but_times(run: Run) -> dict[str, object]:
    """Everything of a finished run but times."""
    kept = [name for name in HISTORY if name not in TIMING]
    summary = run.summary
    return {
        "state": run.state,
        "weights": summary.weights_sha256,
        "best epoch": summary.best_epoch,
        "history": [[row[name] for name in kept] for row in run.history],
        "losses": run.step_losses,
        "logits": run.logits()["test"].tobytes() if run.state == "done" else b"",
        "test": (summary.test_loss, summary.test_accuracy, summary.test_top5),
        "snapshots": read_bytes(run.path / SNAPSHOTS),
        "files": sorted(p.name for p in run.path.iterdir() if p.name != "worker.log"),
    }


def compare(run: Run, elsewhere: RunStore) -> list[str]:
    """The names of what differs from the same run, trained without a break."""
    execution = Execution(**{name: getattr(run.summary, name) for name in RECORDED})
    whole = all_but_times(carry_out(elsewhere, run.config, execution))
    return [name for name, value in all_but_times(run).items() if value != whole[name]]


def check_bits(runs: list[Run], elsewhere: RunStore) -> None:
    """Raises Lost unless each run is done, and is what it is when nobody kills anything."""
    states = [run.state for run in runs]
    require(set(states) == {"done"}, f"not done but {states}")
    differing = {run.id: compare(run, elsewhere) for run in runs}
    require(not any(differing.values()), f"not as an unbroken run: {differing}")
