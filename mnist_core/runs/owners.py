"""Who started a run: one small file for each in .owners (see jobs.visitors, which reads it)."""

from contextlib import suppress
from pathlib import Path


def owner_file(root: Path, name: str) -> Path:
    """The file in the store at `root` that says whose run, or whose drawing, this is."""
    return root / ".owners" / name


def forget_owner(root: Path, name: str) -> None:
    """The run or drawing is gone, or is about to be made anew by somebody else."""
    with suppress(OSError):
        owner_file(root, name).unlink()
