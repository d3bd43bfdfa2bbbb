"""What summary.json says of a run."""

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from mnist_core.errors import NewerVersion
from mnist_core.files import is_number, is_text
from mnist_core.runs.process import Process
from mnist_core.runs.states import RunState

FILE_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,100}", re.ASCII)
# The fields of a summary that every epoch may change.
PER_EPOCH = (
    *("step", "steps"),
    *("epochs_done", "best_epoch", "seconds", "cpu_seconds"),
    *("weights", "weights_sha256", "weights_bytes"),
    *("validation_loss", "validation_accuracy", "validation_top5"),
)


@dataclass(frozen=True)
class Summary:
    """Everything about a run but its config and history. A missing figure is None.

    Accuracies are fractions; every one of them comes from the best validation epoch.
    `seconds` is the time spent in epochs, `cpu_seconds` what all cores took for those that were
    saved; older runs have none. `step` of `steps` is where training goes on within the epoch after
    `epochs_done`, for a run that was paused there.
    """

    state: RunState
    note: str = ""
    created: float = 0.0
    process: Process | None = None
    epochs_done: int = 0
    step: int | None = None
    steps: int | None = None
    best_epoch: int | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_top5: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    test_top5: float | None = None
    seconds: float = 0.0
    cpu_seconds: float | None = None
    parameters: int | None = None
    macs: int | None = None
    receptive_field: int | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    weights_bytes: int | None = None
    parent: str | None = None
    device: str | None = None
    threads: int | None = None
    engine: str | None = None  # torch's layers in runs from before there was another
    engine_note: str = ""
    snapshots: bool = False  # whether they are kept (see runs.snapshots)
    data_fingerprint: str | None = None
    data_note: str = ""
    versions: dict[str, str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", RunState(self.state))

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """From JSON's dictionary, without the fields that a newer version has added.

        Raises NewerVersion for a state that it added, ValueError for what no version can have
        written.
        """
        state = values.get("state") if isinstance(values, dict) else None
        if not isinstance(state, str):
            raise ValueError("summary.json has no state")
        if state not in list(RunState):
            raise NewerVersion(f"its state is {state[:40]!a}")
        known = {f.name for f in fields(cls)}
        values = {k: v for k, v in values.items() if k in known}
        if values.get("process"):
            values["process"] = Process.from_dict(values["process"])
        summary = cls(**values)
        for name, wanted in TYPES.items():
            value = getattr(summary, name)
            if value is None and name in OPTIONAL:
                continue
            if not (is_text(value) if wanted is str else is_number(value)):
                raise ValueError(f"summary.json: {name} is {str(value)[:40]!a}")
        if not isinstance(summary.snapshots, bool):
            raise ValueError("summary.json: snapshots is neither true nor false")
        versions = {} if summary.versions is None else summary.versions
        if not isinstance(versions, dict) or not all(map(is_text, versions.values())):
            raise ValueError("summary.json: versions are not names with texts")
        if summary.weights and not FILE_NAME.fullmatch(summary.weights):
            raise ValueError("summary.json: weights is no name of a file in the run's folder")
        return summary

    def to_dict(self) -> dict[str, Any]:
        """Plain text and numbers only, for JSON and for a resume state, which may hold no class."""
        return {**asdict(self), "state": self.state.value}

    def without(self, *names: str) -> Self:
        """A copy in which these fields are None."""
        missing: dict[str, Any] = dict.fromkeys(names)
        return replace(self, **missing)


TYPES = {
    f.name: str if "str" in str(f.type) else float
    for f in fields(Summary)
    if f.name not in ("state", "process", "versions", "snapshots")
}
OPTIONAL = tuple(f.name for f in fields(Summary) if "None" in str(f.type))
