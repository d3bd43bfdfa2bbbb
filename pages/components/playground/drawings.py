"""The drawings that outlive a refresh of their tab: in memory, under a name that only it knows."""

import functools
import json
import threading
import zlib
from collections import OrderedDict
from typing import Any

BUDGET = 32 * 2**20  # bytes of all kept drawings together; the oldest make room
LARGEST = 2**20  # bytes of one drawing, packed


class Drawings:
    """Drawings by name, packed. Many threads may use one."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget, self._size, self._lock = budget, 0, threading.Lock()
        self._packed: OrderedDict[str, bytes] = OrderedDict()

    def put(self, name: str, drawing: dict[str, Any]) -> None:
        """Replaces the earlier drawing of that name. One that is far too large is not kept."""
        packed = zlib.compress(json.dumps(drawing).encode(), 1)
        with self._lock:
            self._size -= len(self._packed.pop(name, b""))
            if len(packed) > min(LARGEST, self._budget):
                return
            self._packed[name] = packed
            self._size += len(packed)
            while self._size > self._budget:
                self._size -= len(self._packed.popitem(last=False)[1])

    def get(self, name: str) -> dict[str, Any] | None:
        """The drawing of that name, or None."""
        with self._lock:
            packed = self._packed.get(name)
        return None if packed is None else json.loads(zlib.decompress(packed))

    def drop(self, name: str) -> None:
        with self._lock:
            self._size -= len(self._packed.pop(name, b""))


@functools.cache
def kept() -> Drawings:
    """The drawings of all visitors.

    Not in Streamlit's cache, which any visitor's browser can ask the server to clear.
    """
    return Drawings()
