"""Deletes a study for good: from its storage, and what the run store has of it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from mnist_core.errors import LabError, NotFound
from mnist_core.files import writing
from mnist_core.jobs import sweep_job
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.keeping import Keeper, artifact_store
from mnist_core.sweeps.plan import check_name
from mnist_core.sweeps.storage import chosen_storage, open_storage
from mnist_core.sweeps.study import find_study, study_names
from mnist_core.sweeps.table import table_path
from mnist_core.sweeps.worker import artifacts_of


def delete_study(store: RunStore, storage: str | None, name: str) -> None:
    """Deletes the study in the storage (as chosen_storage takes it), its weights and its files.

    Runs with a folder of their own stay: those of the ten best trials and of the winner. Raises
    NotFound for an unknown study, and LabError while it is searched on this machine.
    """
    check_name(name)
    if sweep_job.process_of(store, name):
        raise LabError(f"{name} is being searched; pause it first.")
    known = _delete_from_storage(store, chosen_storage(storage, store), name)
    if not _delete_files(store, name) and not known:
        raise NotFound(f"name: {name} was given; there is no such study")


def _delete_from_storage(store: RunStore, url: str, name: str) -> bool:
    """Whether it was there."""
    if "://" not in url and not Path(url).exists():
        return False
    opened = open_storage(url)
    if name not in study_names(opened):
        return False
    study = find_study(opened, url, name)
    keeper = Keeper(study, artifact_store(artifacts_of(study, None, store)))
    keeper.forget(study.trials())
    with suppress(KeyError):  # another machine was quicker
        opened.delete_study(study.optuna_study._study_id)
    return True


def _delete_files(store: RunStore, name: str) -> bool:
    """Whether the store had anything of it."""
    there = False
    for path in (table_path(store, name), store.sweep_path(name)):
        there = there or path.exists()
        with writing(path):
            path.unlink(missing_ok=True)
    folder = sweep_job.folder(store, name)
    there = there or folder.exists()
    shutil.rmtree(folder, ignore_errors=True)
    return there
