"""The configs and summaries of a store, parsed once for each content of their files.

A process that lists thousands of runs again and again only looks at each file's signature. There
is no index on disk that could disagree with the files.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from mnist_core.config import RunConfig
from mnist_core.files import read_json
from mnist_core.runs.summary import Summary

FILES = 16_384  # whose parsed content a process keeps

Signature = tuple[int, int, int]


def signature(path: Path) -> Signature:
    """Tells one content of a file from the next: files are replaced whole, never changed."""
    seen = os.stat(path)
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def read_config(path: Path) -> tuple[RunConfig, str]:
    """A run's config and its id. Raises OSError, ValueError or TypeError."""
    return _config(path, signature(path))


def read_summary(path: Path) -> Summary:
    """Raises OSError, ValueError or TypeError."""
    return _summary(path, signature(path))


@functools.lru_cache(maxsize=FILES)
def _config(path: Path, seen: Signature) -> tuple[RunConfig, str]:
    config = RunConfig.from_dict(read_json(path))
    return config, config.id


@functools.lru_cache(maxsize=FILES)
def _summary(path: Path, seen: Signature) -> Summary:
    return Summary.from_dict(read_json(path))
