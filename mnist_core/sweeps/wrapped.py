"""Storages around another one: one that waits while a database is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import optuna
from optuna.storages import BaseStorage

from mnist_core.errors import LabError

LONGEST_PAUSE = 2.0  # seconds between two attempts


def _passed_on(name: str) -> Callable[..., Any]:
    def call(self: WrappedStorage, *args: Any, **kwargs: Any) -> Any:
        return self._call(name, *args, **kwargs)

    return call


class WrappedStorage(BaseStorage):
    """A storage that passes each call on to `inner`, by way of `_call`."""

    def __init__(self, inner: BaseStorage) -> None:
        self._inner = inner

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._inner, name)(*args, **kwargs)

    create_new_study = _passed_on("create_new_study")
    delete_study = _passed_on("delete_study")
    set_study_user_attr = _passed_on("set_study_user_attr")
    set_study_system_attr = _passed_on("set_study_system_attr")
    get_study_id_from_name = _passed_on("get_study_id_from_name")
    get_study_name_from_id = _passed_on("get_study_name_from_id")
    get_study_directions = _passed_on("get_study_directions")
    get_study_user_attrs = _passed_on("get_study_user_attrs")
    get_study_system_attrs = _passed_on("get_study_system_attrs")
    get_all_studies = _passed_on("get_all_studies")
    create_new_trial = _passed_on("create_new_trial")
    set_trial_param = _passed_on("set_trial_param")
    get_trial_id_from_study_id_trial_number = _passed_on("get_trial_id_from_study_id_trial_number")
    set_trial_state_values = _passed_on("set_trial_state_values")
    set_trial_intermediate_value = _passed_on("set_trial_intermediate_value")
    set_trial_user_attr = _passed_on("set_trial_user_attr")
    set_trial_system_attr = _passed_on("set_trial_system_attr")
    get_trial = _passed_on("get_trial")
    get_all_trials = _passed_on("get_all_trials")
    get_best_trial = _passed_on("get_best_trial")
    remove_session = _passed_on("remove_session")


class PatientStorage(WrappedStorage):
    """A storage behind a network: each call is repeated while the other side is away.

    A call whose answer was lost may have had its effect. That costs at most an attempt at a trial:
    one that nobody works at is tried again (see `claim`), and one is finished only once.
    """

    def __init__(self, inner: BaseStorage, shown: str, patience: float) -> None:
        super().__init__(inner)
        self._shown, self._patience = shown, patience

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        deadline, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                return super()._call(name, *args, **kwargs)
            except Exception as error:
                if not _is_away(error):
                    raise
                if time.monotonic() > deadline:
                    raise LabError(
                        f"storage: {self._shown} does not answer ({type(error).__name__})."
                    ) from None
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _is_away(error: Exception) -> bool:
    """Whether a database, or the proxy before it, may answer again."""
    if isinstance(error, optuna.exceptions.StorageInternalError):
        return True
    module, name = type(error).__module__, type(error).__name__
    if module.startswith("grpc"):
        return True
    return module.startswith("sqlalchemy") and name in ("OperationalError", "InterfaceError")
