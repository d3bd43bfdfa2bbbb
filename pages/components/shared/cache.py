"""A cache for all visitors that none of them can empty.

Any browser may ask the server to clear Streamlit's own caches: then everybody would wait for every
network to be loaded anew. Those also hash all arguments at each call, which a stroke makes often.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from mnist_core.runs.run import Run

P = ParamSpec("P")
T = TypeVar("T")


class _Entry:
    """A value, or that there is none yet. Whoever computes it holds the lock."""

    def __init__(self) -> None:
        self.lock, self.found = threading.Lock(), False
        self.value: Any = None


def cached(
    key: Callable[..., Hashable], most: int = 64, spinner: str = ""
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keeps a function's values by `key` of its arguments, the `most` that were used last.

    All callers get the same object, which nobody may change. Of several who ask for a value that is
    not there yet, one computes it, with the words of `spinner` on the page. Errors are not kept.
    """

    def wrap(compute: Callable[P, T]) -> Callable[P, T]:
        entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        lock = threading.Lock()

        @functools.wraps(compute)
        def value(*args: P.args, **kwargs: P.kwargs) -> T:
            at = key(*args, **kwargs)
            with lock:
                entry = entries.setdefault(at, _Entry())
                entries.move_to_end(at)
                while len(entries) > most:
                    entries.popitem(last=False)
            with entry.lock:
                if not entry.found:
                    with st.spinner(spinner) if spinner else nullcontext():
                        entry.value = compute(*args, **kwargs)
                    entry.found = True
            found: T = entry.value
            return found

        return value

    return wrap


def same(*arguments: Hashable) -> Hashable:
    """A key of arguments that can be compared as they are."""
    return arguments


def weights_of(run: Run) -> Hashable:
    """A key of what depends on a run only by its weights."""
    return str(run.path), run.summary.weights_sha256


def weights_of_all(runs: list[Run], *rest: Hashable) -> Hashable:
    return tuple(map(weights_of, runs)), *rest
