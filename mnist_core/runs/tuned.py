"""The files of a fine-tuned run: what it learned from, and what came of it. Loads without torch.

The drawings themselves stay where they are: they belong to whoever drew them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from mnist_core.data.tuning_set import Source, TuningSet
from mnist_core.dataset_specs import dataset_spec
from mnist_core.files import is_number, is_text, read_checked
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.run import Run

DRAWINGS_FILE, REPORT = "drawings.json", "fine_tuning.json"


@dataclass(frozen=True)
class Learned:
    """Which drawings: where they were, the names of their files, their labels, and what tells
    their images from others, under any name and anywhere else (see tuning_set.image_hash)."""

    source: Source
    files: tuple[str, ...]
    labels: tuple[int, ...]
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """Of `images` images, how many are right before and after, and how many only before or only
    after."""

    images: int
    before: int
    after: int
    only_before: int
    only_after: int

    def __post_init__(self) -> None:
        """Raises ValueError for counts that cannot be."""
        both = self.before - self.only_before
        if both != self.after - self.only_after or min(both, self.only_before) < 0:
            raise ValueError("these counts cannot be")
        if self.only_after < 0 or self.after + self.only_before > self.images:
            raise ValueError("these counts cannot be")

    @classmethod
    def of(cls, labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> Self:
        """Of (N,) labels, and the (N,) answers before and after."""
        was, now = before == labels, after == labels
        counts = was.sum(), now.sum(), (was & ~now).sum(), (now & ~was).sum()
        return cls(len(labels), *map(int, counts))


@dataclass(frozen=True)
class Report:
    """The answers to each drawing, in the order of Learned: of the network as it was `before`, and
    `after`, of one that had learned all parts but the one with this drawing, of `folds` parts.

    `test`: of the data set's test images, None where they were not at hand. `seconds`: all of it.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    folds: int
    test: Change | None
    seconds: float


def write_learned(folder: RunFolder, drawings: TuningSet) -> None:
    """Raises LabError when it cannot be written."""
    labels = tuple(map(int, drawings.labels))
    found = Learned(drawings.source, drawings.files, labels, drawings.hashes)
    folder.write_added(DRAWINGS_FILE, asdict(found))


def learned(run: Run) -> Learned | None:
    """What a fine-tuned run learned from; None for any other, and where the file is damaged."""
    classes = dataset_spec(run.config.dataset).num_classes

    def check(found: Any) -> Learned:
        files, hashes = tuple(found["files"]), tuple(found["hashes"])
        labels = _labels(found["labels"], classes)
        if not len(files) == len(labels) == len(hashes) or not all(map(is_text, files + hashes)):
            raise ValueError("the drawings are damaged")
        source = Source(found["source"]["kind"], found["source"]["name"])
        return Learned(source, files, labels, hashes)

    return read_checked(run.path / DRAWINGS_FILE, check, None) if run.config.tuning else None


def write_report(folder: RunFolder, report: Report) -> None:
    """Raises LabError when it cannot be written."""
    folder.write_added(REPORT, asdict(report))


def report(run: Run) -> Report | None:
    """What came of it; None where it is not finished, and where the file is damaged."""
    tuned, classes = run.config.tuned, dataset_spec(run.config.dataset).num_classes
    if tuned is None or not run.finished:
        return None
    count = tuned.drawings

    def check(found: Any) -> Report:
        before, after = (_labels(found[name], classes) for name in ("before", "after"))
        if len(before) != count or len(after) != count:
            raise ValueError("the answers are to other drawings")
        folds, seconds = int(found["folds"]), found["seconds"]
        if not 2 <= folds <= count or not is_number(seconds) or seconds < 0:
            raise ValueError("a figure is out of range")
        test = Change(**{k: int(v) for k, v in found["test"].items()}) if found["test"] else None
        return Report(before, after, folds, test, float(seconds))

    return read_checked(run.path / REPORT, check, None)


def _labels(found: Any, classes: int) -> tuple[int, ...]:
    """Raises ValueError unless these are classes' numbers."""
    if not all(type(label) is int and 0 <= label < classes for label in found):
        raise ValueError("a label is out of range")
    return tuple(found)
