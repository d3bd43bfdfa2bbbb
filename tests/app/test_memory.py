"""Searches for garbage leave out what stays, and still find what visitors leave behind."""

import gc
import itertools
import weakref

from pages.components.shared import memory


class Circle:
    def __init__(self):
        self.itself = self


def test_what_is_loaded_is_left_out_and_later_garbage_is_found(monkeypatch):
    monkeypatch.setattr(memory, "_runs", itertools.count(1))
    stays, frozen = [[] for _ in range(1000)], []
    try:
        for _ in range(8):
            memory.settle()
            frozen.append(gc.get_freeze_count())
        assert frozen[0] > len(stays)
        # what other threads of the process free meanwhile is a handful
        for few in (frozen[1:3], frozen[4:7]):
            assert max(few) - min(few) < len(stays) / 10
        left = weakref.ref(Circle())
        gc.collect()
        assert left() is None
    finally:
        gc.unfreeze()
