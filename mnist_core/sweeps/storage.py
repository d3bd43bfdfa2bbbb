"""Where studies are kept: a journal file, a database, or Optuna's gRPC proxy in front of one."""

import functools
import json
import os
import re
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.storages import BaseStorage
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.storages.journal._file import BaseJournalFileLock
from optuna.storages.journal._storage import JournalOperation

from mnist_core.errors import InputError, LabError
from mnist_core.files import touch
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import JOURNAL

PATIENCE = 120.0  # seconds for which a database may be away, as while it is restarted
LONGEST_PAUSE = 2.0  # seconds between two attempts
GRPC = re.compile(r"grpc://(?P<host>[^:/@\s]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})/?")
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")

optuna.logging.set_verbosity(optuna.logging.ERROR)

# Each worker reads every trial, and Optuna parses the distributions of all its parameters. With a
# hundred workers that took four fifths of their time; there are only as many different texts as the
# space has dimensions, and nobody changes a distribution.
optuna.distributions.json_to_distribution = functools.lru_cache(maxsize=4096)(
    optuna.distributions.json_to_distribution
)


def chosen_storage(given: str | None, store: RunStore) -> str:
    """The storage of an option, of MNIST_STUDIES, or the journal of the store; a path is whole."""
    chosen = given or os.environ.get("MNIST_STUDIES") or str(store.root / JOURNAL)
    return chosen if "://" in chosen else str(Path(chosen).absolute())


def without_credentials(storage: str) -> str:
    """The storage as it may be shown: without user, password, or options that may hold one."""
    shown = CREDENTIALS.sub("", storage)
    return shown.partition("?")[0] if "://" in shown else shown


def quiet() -> AbstractContextManager[None]:
    """Optuna warns that some parts may change; the lab is tested with this version of them."""
    return warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning)


def open_storage(storage: str, patience: float = PATIENCE) -> BaseStorage:
    """The storage at a path or URL. Raises InputError for what is none, LabError when it is away.

    While a database is away, each call waits for it up to `patience` seconds.
    """
    shown = without_credentials(storage)
    if "://" not in storage:
        return JournalStorage(RepairingBackend(Path(storage)))
    try:
        return PatientStorage(_connect(storage), shown, patience)
    except (InputError, LabError):
        raise
    except ImportError as error:
        package = error.name or "its driver"
        raise LabError(f"storage: {shown} needs the package {package}: pip install it.") from None
    except Exception as error:  # of the database's driver, which may quote the whole URL
        raise LabError(f"storage: {shown} cannot be opened ({type(error).__name__}).") from None


def _connect(storage: str) -> BaseStorage:
    if storage.startswith("grpc://"):
        parts = GRPC.fullmatch(storage)
        if not parts:
            raise InputError(
                f"storage: {without_credentials(storage)} was given; allowed is grpc://host:port"
            )
        with quiet():
            proxy: BaseStorage = optuna.storages.GrpcStorageProxy(
                host=parts["host"], port=int(parts["port"])
            )
        proxy.wait_server_ready(timeout=20)  # type: ignore[attr-defined]
        return proxy
    # One that the server has closed fails once and is replaced (see PatientStorage); to ask before
    # each call whether it is alive would double the traffic.
    return optuna.storages.get_storage(optuna.storages.RDBStorage(storage))


class _JournalLock(BaseJournalFileLock):
    """One that the operating system frees when its process dies."""

    def __init__(self, journal: Path) -> None:
        self.held = FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        self.held.acquire()
        return True

    def release(self) -> None:
        self.held.release()


class RepairingBackend(JournalFileBackend):
    """A journal file whose last line may have been cut short by a kill or a power failure.

    Optuna passes over such a line when it reads, but would append the next record to it and so
    lose that one, too.
    """

    def __init__(self, path: Path) -> None:
        touch(path)
        super().__init__(str(path), _JournalLock(path))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Appends whole lines. They are on the disk once a trial changes its state.

        A kill loses nothing that was written, and a power failure no trial that was finished: to
        wait for the disk at each parameter and each epoch would take longer than all else.
        """
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        path = Path(self._file_path)
        with self._lock.held:  # type: ignore[attr-defined]
            _cut_unfinished_line(path)
            with path.open("ab") as file:
                file.write(lines.encode())
                file.flush()
                if any(log["op_code"] == JournalOperation.SET_TRIAL_STATE_VALUES for log in logs):
                    os.fsync(file.fileno())


def _cut_unfinished_line(path: Path) -> None:
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def _is_away(error: Exception) -> bool:
    """Whether a database, or the proxy before it, may answer again."""
    if isinstance(error, optuna.exceptions.StorageInternalError):
        return True
    module, name = type(error).__module__, type(error).__name__
    if module.startswith("grpc"):
        return True
    return module.startswith("sqlalchemy") and name in ("OperationalError", "InterfaceError")


def _patient(name: str) -> Callable[..., Any]:
    """The storage's method of this name, called again while the database is away."""

    def call(self: "PatientStorage", *args: Any, **kwargs: Any) -> Any:
        deadline, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                return getattr(self._inner, name)(*args, **kwargs)
            except Exception as error:
                if not _is_away(error):
                    raise
                if time.monotonic() > deadline:
                    raise LabError(
                        f"storage: {self._shown} does not answer ({type(error).__name__})."
                    ) from None
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    return call


class PatientStorage(BaseStorage):
    """A storage behind a network: each call is repeated while the other side is away.

    A call whose answer was lost may have had its effect. That costs at most an attempt at a trial:
    one that nobody works at is tried again (see `claim`), and one is finished only once.
    """

    def __init__(self, inner: BaseStorage, shown: str, patience: float) -> None:
        self._inner, self._shown, self._patience = inner, shown, patience

    create_new_study = _patient("create_new_study")
    delete_study = _patient("delete_study")
    set_study_user_attr = _patient("set_study_user_attr")
    set_study_system_attr = _patient("set_study_system_attr")
    get_study_id_from_name = _patient("get_study_id_from_name")
    get_study_name_from_id = _patient("get_study_name_from_id")
    get_study_directions = _patient("get_study_directions")
    get_study_user_attrs = _patient("get_study_user_attrs")
    get_study_system_attrs = _patient("get_study_system_attrs")
    get_all_studies = _patient("get_all_studies")
    create_new_trial = _patient("create_new_trial")
    set_trial_param = _patient("set_trial_param")
    get_trial_id_from_study_id_trial_number = _patient("get_trial_id_from_study_id_trial_number")
    set_trial_state_values = _patient("set_trial_state_values")
    set_trial_intermediate_value = _patient("set_trial_intermediate_value")
    set_trial_user_attr = _patient("set_trial_user_attr")
    set_trial_system_attr = _patient("set_trial_system_attr")
    get_trial = _patient("get_trial")
    get_all_trials = _patient("get_all_trials")
    get_best_trial = _patient("get_best_trial")
    remove_session = _patient("remove_session")
