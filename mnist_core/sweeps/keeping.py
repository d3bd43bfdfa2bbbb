"""The ten best trials keep their weights, in an artifact store that all workers reach."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.artifacts import Boto3ArtifactStore, FileSystemArtifactStore, upload_artifact
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import FrozenTrial

from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.study import Study

MOST = 10  # trials whose weights are kept


def artifact_store(where: str) -> Any:
    """The artifact store in a folder, or of `s3://bucket`. Raises LabError where there is none."""
    if where.startswith("s3://"):
        try:
            return Boto3ArtifactStore(where.removeprefix("s3://").strip("/"))
        except ImportError:
            raise LabError("artifacts: s3:// needs the package boto3: pip install boto3.") from None
    folder = Path(where)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LabError(
            f"artifacts: {where} cannot be written ({error.strerror}); mount the folder that all "
            "workers share, or give another with --artifacts."
        ) from error
    return FileSystemArtifactStore(folder)


@dataclass
class Keeper:
    """Keeps the weights of trials that are among the best so far."""

    study: Study
    store: Any  # an artifact store
    seen: Sequence[float] = ()  # the accuracies of completed trials

    def keep(self, trial: optuna.Trial, accuracy: float, runs: Sequence[Run]) -> None:
        """Uploads the first run's weights if the trial is among the best; sets an attribute.

        Compared with the trials as they were `seen` last: to ask anew costs more than to upload one
        too many, which `forget_others` deletes.
        """
        better = sum(other > accuracy for other in self.seen)
        run = runs[0]
        if better >= MOST or not run.has_weights:
            return
        with _as_file(run.weights()) as path:
            artifact = upload_artifact(
                artifact_store=self.store, file_path=str(path), study_or_trial=trial
            )
        trial.set_user_attr("weights", artifact)

    def read(self, trial: FrozenTrial) -> bytes | None:
        """The weights that were kept of the trial's first run."""
        artifact = trial.user_attrs.get("weights")
        if not isinstance(artifact, str):
            return None
        try:
            with self.store.open_reader(artifact) as reader:
                content: bytes = reader.read()
                return content
        except (ArtifactNotFound, OSError, ValueError):
            return None

    def forget_others(self) -> None:
        """Deletes the weights of trials that are no longer among the best."""
        self.forget(self.study.best_first()[MOST:])

    def forget(self, trials: Sequence[FrozenTrial]) -> None:
        for trial in trials:
            artifact = trial.user_attrs.get("weights")
            if isinstance(artifact, str):
                with suppress(ArtifactNotFound, OSError, ValueError):
                    self.store.remove(artifact)

    def tidy(self, workshop: RunStore, runs: Sequence[Run]) -> None:
        """Deletes the folders of a trial that the study has whole."""
        for run in runs:
            folder = workshop.folder(run.id).path
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _as_file(content: bytes) -> Iterator[Path]:
    """A temporary file with this content: Optuna uploads files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        path.write_bytes(content)
        yield path
