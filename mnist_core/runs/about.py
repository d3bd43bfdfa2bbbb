"""What people say of a run: a label, a note and tags, in about.json beside its config.

It is no part of the run's id, and training reads none of it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mnist_core.errors import InputError, LabError
from mnist_core.files import is_text, read_checked
from mnist_core.runs.run import Run

ABOUT = "about.json"
LONGEST = {"label": 60, "note": 1000, "tag": 30}  # characters
MOST_TAGS = 10


@dataclass(frozen=True)
class About:
    """`archived`: out of the way on the pages and in lists, but not deleted."""

    label: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False

    def __post_init__(self) -> None:
        """Raises InputError for what is too long, or no text."""
        for name, text in (("label", self.label), ("note", self.note)):
            _check_text(name, text)
        if not isinstance(self.tags, tuple) or len(self.tags) > MOST_TAGS:
            raise InputError(f"tags: at most {MOST_TAGS} are allowed")
        for tag in self.tags:
            _check_text("tag", tag)
        if not isinstance(self.archived, bool):
            raise InputError(f"archived: {self.archived!r} was given; allowed is true or false")

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        known = {name: found[name] for name in ("label", "note", "archived") if name in found}
        return cls(**known, tags=tuple(found.get("tags", ())))

    def words(self) -> str:
        """All of it, as a search looks through."""
        return " ".join((self.label, self.note, *self.tags))


def _check_text(name: str, text: Any) -> None:
    if not is_text(text) or len(text) > LONGEST[name]:
        raise InputError(f"{name}: at most {LONGEST[name]} characters of text are allowed")


def tags_of(text: str) -> tuple[str, ...]:
    """Tags as people write them: "for class, best" -> ("for class", "best"), none twice."""
    tags = (" ".join(tag.split()) for tag in text.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def about(run: Run) -> About:
    """What is said of a run; nothing where nobody said anything, or the file is damaged."""
    return read_about(run.path)


def read_about(path: Path) -> About:
    return read_checked(path / ABOUT, About.from_dict, default=About())


def write_about(run: Run, said: About) -> None:
    """Raises LabError for a run without a folder of its own, and when it cannot be written."""
    if not run.path.is_dir():
        raise LabError(f"{run.id} ships in a file with many others; train a copy of it first.")
    run.folder.write_added(ABOUT, asdict(said))


def without_archived(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if not about(run).archived]
