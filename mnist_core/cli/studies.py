"""The commands `sweep-worker`, `sweep-status`, `sweep-collect`, `sweep-pause`, `sweep-delete`."""

from argparse import ArgumentParser, Namespace
from functools import partial
from typing import TYPE_CHECKING

from mnist_core.cli.command import Answer, command
from mnist_core.cli.study_options import (
    artifacts_options,
    as_text,
    bring_home,
    check_training,
    existing,
    status_of,
    stopping,
    storage_options,
    training_options,
)
from mnist_core.cli.terminal import say
from mnist_core.errors import InputError
from mnist_core.formatting import counted, percent
from mnist_core.runs.store import RunStore

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mnist_core.sweeps.study import Study


def _worker_options(parser: ArgumentParser) -> None:
    training_options(parser)
    parser.add_argument("--with-parent", action="store_true", help="end when stdin closes")


@command("sweep-worker", "Take trials of a study until none are left.", _worker_options)
def sweep_worker(options: Namespace) -> Answer:
    from mnist_core.sweeps.worker import Worker, artifacts_of, check_data

    minutes, device = check_training(options)
    store = RunStore()
    study = existing(options, store)
    check_data(study)
    worker = Worker(
        study,
        store,
        artifacts_of(study, options.artifacts, store),
        stopping(options.with_parent),
        minutes=minutes,
        device=device,
        on_trial=None if options.with_parent else partial(_tell_trial, study),
    )
    finished = worker.work()
    status = study.status()
    paused = ", paused: go on with sweep" if study.requested == "pause" else ""
    text = f"{counted(finished, 'trial')} done by this worker{paused}\n{as_text(status)}"
    return Answer({**status, "trials_by_worker": finished}, text)


def _tell_trial(study: "Study", trial: "FrozenTrial") -> None:
    accuracy = percent(trial.values[0]) if trial.values else "no result"
    values = study.plan.space.rounded(trial.params)
    told = ", ".join(f"{name} {value}" for name, value in values.items())
    say(f"trial {trial.number}: {accuracy}, {trial.state.name.lower()}, {told}")


@command("sweep-status", "How far a study is, and its best trial.", storage_options)
def sweep_status(options: Namespace) -> Answer:
    return status_of(existing(options, RunStore()))


@command("sweep-collect", "Bring a study's curves and best networks home.", artifacts_options)
def sweep_collect(options: Namespace) -> Answer:
    """Of one study; without a name, of all that the storage has.

    Of several, those in progress bring no weights: which are the best ten is not known yet.
    """
    from mnist_core.sweeps.storage import chosen_storage, open_storage
    from mnist_core.sweeps.study import find_study, studies_in

    store = RunStore()
    url = chosen_storage(options.storage, store)
    storage = open_storage(url)
    one = find_study(storage, url, options.name) if options.name else None
    brought = [
        {**study.status(), **bring_home(study, store, options.artifacts, bool(one))}
        for study in ([one] if one else studies_in(storage, url))
    ]
    lines = [
        f"{counted(each['runs'], 'run')} in {store.sweep_path(each['name'])}, "
        f"{each['with_weights']} of them with weights"
        for each in brought
    ]
    return Answer(brought[0] if one else brought, "\n".join(lines) or "there are no studies")


@command("sweep-pause", "Ask all workers of a study, on all machines, to end.", storage_options)
def sweep_pause(options: Namespace) -> Answer:
    """They give their trials back; `sweep` goes on."""
    study = existing(options, RunStore())
    study.keep("requested", "pause")
    return status_of(study)


@command("sweep-delete", "Delete a study for good; its best runs stay.", storage_options)
def sweep_delete(options: Namespace) -> Answer:
    from mnist_core.sweeps.deleting import delete_study

    if not options.name:
        raise InputError("name: none was given; name the study that is to be deleted")
    store = RunStore()
    delete_study(store, options.storage, options.name)
    return Answer({"name": options.name, "deleted": True}, f"deleted: {options.name}")
