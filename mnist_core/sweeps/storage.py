"""Where studies are kept: a journal file, a database, or Optuna's gRPC proxy in front of one."""

import json
import os
import re
import warnings
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
from mnist_core.sweeps.wrapped import PatientStorage

PATIENCE = 120.0  # seconds for which a database may be away, as while it is restarted
GRPC = re.compile(r"grpc://(?P<host>[^:/@\s]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})/?")
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")

optuna.logging.set_verbosity(optuna.logging.ERROR)


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
