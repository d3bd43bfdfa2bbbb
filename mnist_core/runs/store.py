"""The run store: finds, lists, makes and locks the folders of runs. Loads without torch."""

import functools
import os
import re
import shutil
import time
from bisect import insort
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from filelock import FileLock
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError, LabError, NewerVersion, NotFound
from mnist_core.files import read_checked, read_json, signature, write_bytes, write_json, writing
from mnist_core.limits import limits
from mnist_core.locks import named_lock
from mnist_core.paths import store_root
from mnist_core.rules import Whole, check_value
from mnist_core.runs.bundle import Bundle, read_bundle
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.owners import forget_owner
from mnist_core.runs.run import PARTS, Damaged, Run, read_parts
from mnist_core.runs.summary import Summary

RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,90}-[0-9a-f]{10}")
NEW = re.compile(r"\.new-.+-(?P<pid>\d{1,9})")
MAKING = 60.0  # seconds after which nobody, on whichever machine, still makes a run's folder
AT_ONCE = Whole(0, 64)
AUTOMATIC = 0  # one run has the whole machine; several share its cores


class RunStore:
    """The run folders below `root`. Nothing is kept in memory but parsed files."""

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root) if root is not None else store_root()

    def list(self) -> tuple[list[Run], list[Damaged]]:
        """All runs, the newest first, and what in the store is damaged.

        Where both a folder and a bundle hold a run, the folder counts.
        """
        bundles = self._bundles()
        damaged = [each for bundle in bundles for each in bundle.damaged]
        folders = {}
        for path in self._folders():
            try:
                folders[path.name] = self._read(path)
            except LabError as error:
                damaged.append(Damaged(path, str(error)))
        runs = list(_bundled_runs(bundles))
        if any(run_id in bundle.runs for bundle in bundles for run_id in folders):
            runs = [run for run in runs if run.id not in folders]
        for run in folders.values():  # few, beside the runs of bundles
            insort(runs, run, key=_age)
        return runs, damaged

    def bundle_path(self, dataset: str) -> Path:
        """The file of a data set's runs that have no folder: those of the grid."""
        return self.root / "grid" / f"{dataset}.parquet"

    def sweep_path(self, name: str) -> Path:
        """The file of a study's runs that have no folder."""
        return self.root / "sweeps" / f"{name}.parquet"

    def _bundles(self) -> tuple[Bundle, ...]:
        """Of a run in several of them, the last one counts: the grid's, which was tested."""
        files = [sorted((self.root / kind).glob("*.parquet")) for kind in ("sweeps", "grid")]
        return tuple(read_bundle(path) for kind in files for path in kind)

    def _bundled(self, run_id: str) -> Run | None:
        found = (bundle.runs.get(run_id) for bundle in reversed(self._bundles()))
        return next(filter(None, found), None)

    def _folders(self) -> Sequence[Path]:
        try:
            with os.scandir(self.root) as entries:
                return [Path(e.path) for e in entries if RUN_ID.fullmatch(e.name) and e.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LabError(f"{self.root} cannot be read ({error.strerror}).") from error

    def folder(self, run_id: str) -> RunFolder:
        """The folder of a run. Raises InputError for text that cannot be an id."""
        if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
            shown = repr(run_id) if len(repr(run_id)) < 80 else repr(run_id)[:77] + "…"
            raise InputError(
                f"run: {shown} was given; allowed is an id such as mnist-lenet5-0123456789 "
                "(see: python -m mnist_core runs)"
            )
        return RunFolder(self.root / run_id)

    def get(self, run_id: str) -> Run:
        """Raises InputError for a bad id, NotFound, or LabError for a damaged folder."""
        path = self.folder(run_id).path
        if not path.is_dir():
            if bundled := self._bundled(run_id):
                return bundled
            raise NotFound(
                f"run: there is no {run_id} in {self.root}; see: python -m mnist_core runs"
            )
        return self._read(path)

    def find(self, config: RunConfig) -> Run | None:
        """The run of this config, or None when it is not there (or damaged)."""
        return self.find_folder(config) or self._bundled(config.id)

    def find_folder(self, config: RunConfig) -> Run | None:
        """Like `find`, but without bundles: only a run with a folder can be trained further."""
        try:
            return self._read(self.root / config.id)
        except LabError:
            return None

    def _is_readable(self, path: Path) -> bool:
        try:
            return bool(self._read(path))
        except NewerVersion:
            raise
        except LabError:
            return False

    def _read(self, path: Path) -> Run:
        try:
            files = path / "config.json", path / "summary.json"
            config, summary = _parsed(*files, *map(signature, files))
        except NewerVersion as error:
            raise NewerVersion(
                f"{path.name} was written by a newer version of the lab and was left out: {error}."
            ) from None
        except (OSError, ValueError, TypeError, AttributeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise LabError(f"{path.name} is damaged and was left out: {reason}.") from error
        if config.id != path.name:
            raise LabError(
                f"{path.name} is damaged and was left out: config.json is another run's."
            )
        return Run(path, config, summary)

    def at_once(self) -> int:
        """How many runs train at the same time; runs in the queue look it up twice a second."""
        path = self.root / "settings.json"
        most = limits().training
        kept = read_checked(path, lambda settings: check_at_once(settings["at_once"]), AUTOMATIC)
        return kept if most is None else min(kept or most, most)

    def set_at_once(self, number: int) -> None:
        """Raises InputError, or LabError when it cannot be kept."""
        write_json(self.root / "settings.json", {"at_once": check_at_once(number)})

    def lock(self, run_id: str) -> FileLock:
        """The lock of a run's folder. The operating system frees it when its process dies."""
        return named_lock(self.root, self.folder(run_id).id)

    def create(self, config: RunConfig, summary: Summary) -> Run:
        """Writes config and summary of a new run; a damaged folder in its place is set aside.

        A new run has no owner until somebody is named (see jobs.visitors).

        Raises LabError when they cannot be written, and NewerVersion for a folder in its place that
        a newer version of the lab has written.
        """
        path = self.folder(config.id).path
        if self._is_readable(path):
            _write_both(path, config, summary)
            return self.get(config.id)
        if path.exists():
            aside = path.with_name(f"damaged.{path.name}.{time.time_ns()}")
            with writing(aside):
                path.rename(aside)
        self._sweep_new()
        # Both files appear together, so that no reader meets a folder with only one of them.
        new = path.with_name(f".new-{path.name}-{os.getpid()}")
        try:
            with writing(path):
                _write_both(new, config, summary)
                forget_owner(self.root, config.id)
                new.rename(path)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return self.get(config.id)

    def _sweep_new(self) -> None:
        """Removes the folders of new runs that a kill left before they were in their place."""
        for path in self.root.glob(".new-*"):
            left = NEW.fullmatch(path.name)
            if left and not psutil.pid_exists(int(left["pid"])):
                with suppress(OSError):
                    if abs(time.time() - path.stat().st_mtime) > MAKING:
                        shutil.rmtree(path)

    def labels_path(self, dataset: str, fingerprint: str) -> Path:
        return self.root / "labels" / f"{dataset.lower()}-{fingerprint}.safetensors"

    def write_labels(
        self, dataset: str, fingerprint: str, labels: Mapping[str, np.ndarray]
    ) -> None:
        """The true labels of "validation" and "test", once per data set."""
        path = self.labels_path(dataset, fingerprint)
        if not path.exists():
            small = {part: np.asarray(values, dtype=np.uint8) for part, values in labels.items()}
            write_bytes(path, tensors_to_bytes(small))

    def labels(self, run: Run) -> dict[str, np.ndarray]:
        """The true labels that belong to the run's logits. Raises LabError."""
        fingerprint = run.summary.data_fingerprint or ""
        if not re.fullmatch(r"[0-9a-f]{16}", fingerprint):
            raise NotFound(f"{run.id} does not say which data it was trained on.")
        path = self.labels_path(run.config.dataset, fingerprint)
        found = read_parts(path, np.uint8, ())
        last = dataset_spec(run.config.dataset).num_classes - 1
        if max(found[part].max() for part in PARTS) > last:
            raise LabError(f"{path} is damaged: it holds a label above {last}.")
        return found


def check_at_once(value: Any) -> int:
    """How many runs train at the same time; 0 is automatic. Raises InputError."""
    return int(check_value("at-once", value, AT_ONCE))


def _age(run: Run) -> tuple[float, str]:
    """Sorts runs: the newest first."""
    return -run.summary.created, run.id


@functools.lru_cache(maxsize=8)
def _bundled_runs(bundles: tuple[Bundle, ...]) -> Sequence[Run]:
    """The runs of all bundles, the newest first; of two runs of one config the last one's."""
    runs = {run_id: run for bundle in bundles for run_id, run in bundle.runs.items()}
    return sorted(runs.values(), key=_age)


@functools.lru_cache(maxsize=16_384)
def _parsed(config: Path, summary: Path, *_signatures: object) -> tuple[RunConfig, Summary]:
    """Each content of the two files is parsed once.

    A process that lists thousands of runs again and again only looks at each file's signature.
    There is no index on disk that could disagree with the files.
    """
    return _stored_config(config), Summary.from_dict(read_json(summary))


def _stored_config(path: Path) -> RunConfig:
    """A config that this version, an older or a newer one has written.

    A field that a newer version added and left at its default changes nothing: the id says so.
    Raises NewerVersion for one that was changed.
    """
    fields = read_json(path)
    unknown = sorted(set(fields) - set(RunConfig.names())) if isinstance(fields, dict) else []
    config = RunConfig.from_dict(fields if not unknown else _without(fields, unknown))
    if unknown and config.id != path.parent.name:
        raise NewerVersion(f"its config has {', '.join(unknown)[:60]!a}")
    return config


def _without(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _write_both(path: Path, config: RunConfig, summary: Summary) -> None:
    write_json(path / "config.json", config.to_dict())
    write_json(path / "summary.json", summary.to_dict())
