"""Studies without training: a run's figures follow from its config."""

import math
import time
from dataclasses import replace

from mnist_core.runs.folder import HISTORY
from mnist_core.runs.states import RunState
from mnist_core.runs.summary import Summary
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.storage import open_storage
from mnist_core.sweeps.study import make_study
from mnist_core.sweeps.worker import Worker
from tests.stores import FINGERPRINT

SPACE = {"lr": "1e-3..1:log", "batch_size": "32,64,128", "epochs": 3}


def accuracy(config, epoch):
    """The best learning rate is 0.1, and more epochs help."""
    return 0.9 - 0.1 * abs(math.log10(config.lr) + 1) - 0.1 / epoch


class Training:
    """Stands in for training: tells of each epoch, and counts which runs it was asked for."""

    def __init__(self, before_epoch=lambda config, epoch: None):
        self.trained, self.before_epoch = [], before_epoch

    def __call__(self, store, config, execution, *, on_progress, signalled):
        self.trained.append(config.id)
        run = store.find_folder(config) or store.create(config, Summary(RunState.RUNNING))
        run.folder.write_summary(replace(run.summary, state=RunState.RUNNING))
        rows = list(run.history)
        while len(rows) < config.epochs:
            epoch = len(rows) + 1
            self.before_epoch(config, epoch)
            row = dict.fromkeys(HISTORY, 0.5)
            rows.append({**row, "epoch": epoch, "validation_accuracy": accuracy(config, epoch)})
            on_progress({"phase": "epoch", **rows[-1]})
            if what := signalled():
                state = RunState.PAUSED if what == "pause" else RunState.STOPPED
                return self.leave(store, run, rows, state)
        return self.leave(store, run, rows, RunState.DONE)

    @staticmethod
    def leave(store, run, rows, state):
        weights = run.folder.write_weights(len(rows), run.id.encode())
        best = rows[-1]["validation_accuracy"]
        run.folder.write_history(rows, [])
        summary = Summary(state, created=time.time(), epochs_done=len(rows), best_epoch=len(rows))
        summary = replace(
            summary, validation_accuracy=best, data_fingerprint=FINGERPRINT, **weights
        )
        run.folder.write_summary(summary)
        return store.get(run.id)


def study_in(store, *, url=None, name="lr", trials=6, plan=None, space=SPACE, **fields):
    plan = plan or Plan(read_space(space, "grid"), **{"sampler": "random", **fields})
    url = url or str(store.root / "studies.journal")
    return make_study(open_storage(url), url, name, plan, trials)


def worker(study, store, training=None, **fields):
    training = training or Training()
    stopping = fields.pop("stopping", lambda: False)
    weights = str(store.root / "weights")
    return Worker(study, store, weights, stopping, train_one=training, **fields)
