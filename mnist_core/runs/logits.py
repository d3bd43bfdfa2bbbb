"""Logits in a small file, for runs that ship. Loads without torch.

Half precision is coarse where logits are large, steps of 1/64 from 16 on, and finer than anybody
needs where they are small. Here all have steps of 1/64, and each number's two bytes are stored
apart, which compresses to two thirds; the class on top stays in every row.
"""

import gzip
import io
import zlib
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.errors import LabError
from mnist_core.files import tensors_of

STEP = 1 / 64
LARGEST = 2**15 - 2  # steps: one below what 16 bits hold
LIMIT = 2**26  # bytes, uncompressed; twenty times those of the largest data set


def packed_logits(logits: Mapping[str, np.ndarray]) -> bytes:
    """(N, classes) float16 logits by part -> the content of a file. Equal logits, equal bytes."""
    tensors = {}
    for part, halves in logits.items():
        steps, step = _in_steps(halves.astype(np.float64))
        tensors[f"{part}.high"] = (steps >> 8).astype(np.int8)
        tensors[f"{part}.low"] = (steps & 0xFF).astype(np.uint8)
        tensors[f"{part}.step"] = np.array([step], np.float32)
    return gzip.compress(tensors_to_bytes(tensors), mtime=0)


def _in_steps(logits: np.ndarray) -> tuple[np.ndarray, float]:
    """Rounds to whole steps, and raises the class that was on top where others are level then."""
    step = STEP
    while np.abs(logits).max(initial=0) > LARGEST * step:
        step *= 2
    steps, first = np.rint(logits / step).astype(np.int16), logits.argmax(axis=1)
    rows = np.flatnonzero(steps.argmax(axis=1) != first)
    steps[rows, first[rows]] = steps[rows].max(axis=1) + 1
    return steps, step


def unpacked_logits(content: bytes, name: str) -> dict[str, np.ndarray]:
    """What `packed_logits` was given, rounded: float16 arrays by part.

    Raises LabError when the file called `name` is damaged.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(LIMIT)
        tensors = tensors_of(plain, name)
        parts = [key.removesuffix(".step") for key in tensors if key.endswith(".step")]
        return {part: _halves(*(tensors[f"{part}.{k}"] for k in KINDS)) for part in parts}
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError) as error:
        raise LabError(f"{name} is damaged ({error}).") from error


KINDS = ("high", "low", "step")


def _halves(high: np.ndarray, low: np.ndarray, step: np.ndarray) -> np.ndarray:
    if high.dtype != np.int8 or low.dtype != np.uint8 or high.shape != low.shape:
        raise ValueError("its bytes do not fit together")
    steps = high.astype(np.float32) * 256 + low
    return np.asarray(steps * step.reshape(()), np.float16)
