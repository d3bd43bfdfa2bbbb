"""Reads a file of runs (see runs.columns), each column when it is needed. Loads without torch."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_core.errors import LabError
from mnist_core.files import TENSORS_LIMIT
from mnist_core.runs.columns import CONFIDENCE_STEPS, CONFIG, FORMAT, MOST_RUNS, STEPS, SUMMARY
from mnist_core.runs.folder import HISTORY
from mnist_core.runs.run import Mistakes

Row = dict[str, Any]


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Makes one sentence of whatever a damaged file leads to, in a LabError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, ValueError, KeyError, TypeError, IndexError, OSError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise LabError(f"{name} is damaged: {reason}.") from error


@dataclass(frozen=True)
class Lists:
    """A column of lists: those of all rows in one array, and where each begins."""

    values: np.ndarray
    bounds: np.ndarray

    def of(self, row: int) -> np.ndarray:
        return self.values[self.bounds[row] : self.bounds[row + 1]]


class Columns:
    """The content of a file of runs. What is large is read when a run is first asked for it.

    The content stays in memory, a megabyte or three, so that it can be read on when the file has
    been replaced. Methods raise LabError when what they read is damaged.
    """

    def __init__(self, content: bytes, name: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.name = name
        with reading(name):
            source = pa.BufferReader(content)
            self._file = pq.ParquetFile(source, page_checksum_verification=True)
            about = self._file.metadata.metadata or {}
            if about.get(b"format") != FORMAT.encode():
                raise ValueError("it is no file of runs that this version reads")
            _check_size(self._file.metadata)

    def rows(self) -> list[Row]:
        """Id, config and figures of each run, unchecked; what the file lacks is left out."""
        with reading(self.name):
            present = self._file.schema_arrow.names
            names = [name for name in ("id", *CONFIG, *SUMMARY) if name in present]
            table = self._file.read(columns=names)
            values = [table[name].to_pylist() for name in names]
            return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    def history(self, row: int) -> list[dict[str, float]]:
        with reading(self.name):
            return _table(self._history, row)

    def step_losses(self, row: int) -> list[dict[str, float]]:
        with reading(self.name):
            return _table(self._steps, row)

    def mistakes(self, row: int) -> Mistakes | None:
        with reading(self.name):
            wrong, answer, confidence = self._mistakes
            bits = wrong[row]
            if bits is None:
                return None
            index = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8)))
            found = answer.of(row), confidence.of(row)
            if any(len(values) != len(index) for values in found):
                raise ValueError("answers and images of a run do not belong together")
            shares = found[1].astype(np.float32) / np.float32(CONFIDENCE_STEPS)
            return Mistakes(index.astype(np.int32), found[0], shares)

    def kernels(self, row: int) -> np.ndarray | None:
        with reading(self.name):
            values, sides = self._kernels
            side = sides[row]
            return None if side is None else _finite(values.of(row)).reshape(-1, side, side)

    @functools.cached_property
    def _history(self) -> dict[str, Lists]:
        return self._lists("history_", dict.fromkeys(HISTORY, "float64"))

    @functools.cached_property
    def _steps(self) -> dict[str, Lists]:
        return self._lists("step_", STEPS)

    @functools.cached_property
    def _mistakes(self) -> tuple[list[bytes | None], Lists, Lists]:
        lists = self._lists("wrong_", dict.fromkeys(("answer", "confidence"), "uint8"))
        bits = self._file.read(columns=["wrong"])["wrong"].to_pylist()
        return bits, lists["answer"], lists["confidence"]

    @functools.cached_property
    def _kernels(self) -> tuple[Lists, list[int | None]]:
        sides = self._file.read(columns=["kernel_side"])["kernel_side"].to_pylist()
        return self._lists("", {"kernels": "float32"})["kernels"], sides

    def _lists(self, prefix: str, dtypes: Mapping[str, str]) -> dict[str, Lists]:
        import pyarrow as pa

        table = self._file.read(columns=[prefix + name for name in dtypes])
        found = {}
        for name, dtype in dtypes.items():
            column = table[prefix + name].combine_chunks()
            kind = column.type
            if not pa.types.is_list(kind) or kind.value_type != pa.from_numpy_dtype(dtype):
                raise ValueError(f"{prefix}{name} holds {kind}, not lists of {dtype}")
            found[name] = Lists(np.from_dlpack(column.values), np.from_dlpack(column.offsets))
        return found


def _check_size(about: Any) -> None:
    """Raises ValueError for a small file that would fill the memory once it is unpacked."""
    if max(about.num_rows, about.num_row_groups) > MOST_RUNS:
        raise ValueError("it has too many rows")
    groups = map(about.row_group, range(about.num_row_groups))
    if sum(group.total_byte_size for group in groups) > TENSORS_LIMIT:
        raise ValueError("it is too large")


def _table(columns: Mapping[str, Lists], row: int) -> list[dict[str, float]]:
    found = [_finite(values.of(row)).tolist() for values in columns.values()]
    return [dict(zip(columns, map(float, each), strict=True)) for each in zip(*found, strict=True)]


def _finite(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError("a run has more than finite numbers")
    return values
