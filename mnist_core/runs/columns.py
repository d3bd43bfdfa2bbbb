"""How finished runs become the columns of a Parquet file, a row each. Loads without torch.

A row has the fields of the config and of the summary under their own names, and these lists:

history_*       a number for each epoch: see runs.folder.HISTORY
step_*          epoch, step and loss of the step losses, the loss in single precision
wrong           a bit for each test image, the first one highest in its byte; set where the run is
                wrong
wrong_answer    the predicted classes of these images, in their order
wrong_confidence  their probabilities, in steps of 1 / CONFIDENCE_STEPS
kernels         the first convolution's kernels, one after the other, row by row, each of
                `kernel_side` squared values

What a run does not have is null. The encodings are those that came out smallest for the grid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.runs.folder import HISTORY
from mnist_core.runs.run import Mistakes, Run
from mnist_core.runs.summary import Summary

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "mnist-lab runs 1"  # in the file's metadata, as "format"
CONFIDENCE_STEPS = 200
# Meaningless for a run that keeps no weights.
LEFT_OUT = ("process", "weights", "weights_sha256", "weights_bytes")
# The types of the fields; versions are kept as JSON.
CONFIG = {f.name: f.type for f in fields(RunConfig)}
SUMMARY = {f.name: f.type for f in fields(Summary) if f.name not in LEFT_OUT}
STEPS = {"epoch": "int32", "step": "int32", "loss": "float32"}
MOST_RUNS = 100_000

Row = dict[str, Any]
MistakesById = Mapping[str, Mistakes | None]


def file_bytes(runs: Sequence[Run], mistakes: MistakesById) -> bytes:
    """The Parquet file of finished runs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = _columns(runs, mistakes)
    table = pa.table(columns)
    floats = [name for name, values in columns.items() if _is_list_of_floats(values.type)]
    split = {f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in floats}
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in _paths(table.schema) if name not in split],
        column_encoding=split,
        write_statistics=False,
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=MOST_RUNS)
        writer.add_key_value_metadata({"format": FORMAT})
    return bytes(sink.getvalue())


def _columns(runs: Sequence[Run], mistakes: MistakesById) -> dict[str, pa.Array]:
    import pyarrow as pa

    columns = {"id": pa.array([run.id for run in runs])}
    for name, kind in CONFIG.items():
        columns[name] = pa.array([getattr(run.config, name) for run in runs], _arrow(kind))
    summaries = [_summary_row(run.summary) for run in runs]
    for name, kind in SUMMARY.items():
        columns[name] = pa.array([row[name] for row in summaries], _arrow(kind))
    for name in HISTORY:
        columns[f"history_{name}"] = _lists(_values(run.history, name, float) for run in runs)
    for name, dtype in STEPS.items():
        columns[f"step_{name}"] = _lists(_values(run.step_losses, name, dtype) for run in runs)
    kernels = [run.first_kernels() for run in runs]
    columns["kernels"] = _lists((k if k is None else k.ravel() for k in kernels), "float32")
    sides = [k if k is None else k.shape[-1] for k in kernels]
    columns["kernel_side"] = pa.array(sides, pa.int32())
    found = [mistakes.get(run.id) for run in runs]
    columns["wrong"] = pa.array([m and _bits(m.index) for m in found], pa.binary())
    columns["wrong_answer"] = _lists((m.answer if m else None for m in found), "uint8")
    shares = (in_steps(m.confidence) if m else None for m in found)
    columns["wrong_confidence"] = _lists(shares, "uint8")
    return columns


def _arrow(kind: Any) -> pa.DataType:
    """For a field of this type, which may be optional."""
    import pyarrow as pa

    kind = (get_args(kind) or (kind,))[0] if type(None) in get_args(kind) else kind
    known = {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return known.get(kind, pa.string())


def _summary_row(summary: Summary) -> Row:
    row = summary.to_dict()
    versions = row["versions"]
    return row | {"versions": None if versions is None else json.dumps(versions)}


def _values(rows: Iterable[Mapping[str, float]], name: str, dtype: Any) -> np.ndarray:
    return np.array([row[name] for row in rows], dtype)


def _lists(values: Iterable[np.ndarray | None], dtype: str = "") -> pa.Array:
    import pyarrow as pa

    values = list(values)
    kind = dtype or next((str(v.dtype) for v in values if v is not None), "float64")
    return pa.array(values, pa.list_(pa.from_numpy_dtype(kind)))


def _is_list_of_floats(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) and pa.types.is_floating(kind.value_type))


def _paths(schema: pa.Schema) -> Iterator[str]:
    """What the Parquet library calls each column."""
    import pyarrow as pa

    for column in schema:
        yield column.name + (".list.element" if pa.types.is_list(column.type) else "")


def _bits(index: np.ndarray) -> bytes:
    bits = np.zeros(index.max(initial=0) + 1, bool)
    bits[index] = True
    return np.packbits(bits).tobytes()


def in_steps(confidence: np.ndarray) -> np.ndarray:
    """Probabilities as whole numbers of steps, (M,) uint8."""
    steps: np.ndarray = np.rint(confidence * CONFIDENCE_STEPS).astype(np.uint8)
    return steps
