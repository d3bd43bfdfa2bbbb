"""Drawings that outlive a refresh of their tab: in memory, under a name that only the tab knows."""

from __future__ import annotations

import json
import secrets
import threading
import zlib
from collections import OrderedDict
from typing import Any

import streamlit as st

BUDGET = 32 * 2**20  # bytes of all drawings together; the oldest make room
LARGEST = 2**20  # bytes of one drawing, packed


class Drawings:
    """Drawings by name, packed. Many threads may use one."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget, self._size, self._lock = budget, 0, threading.Lock()
        self._packed: OrderedDict[str, bytes] = OrderedDict()

    def put(self, name: str, drawing: dict[str, Any]) -> None:
        """Keeps it in place of the one before. One that is far too large is not kept."""
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


@st.cache_resource(show_spinner=False)
def kept() -> Drawings:
    """Those of all visitors."""
    return Drawings()


def take_up() -> None:
    """Once in a visitor's session: puts back what the address bar's drawing was.

    The session then keeps it under a name of its own: a link that somebody else opens shows him
    the drawing, and what he draws stays his.
    """
    state = st.session_state
    if "play_name" in state:
        return
    state["play_name"] = secrets.token_urlsafe(9)
    found = kept().get(st.query_params.get("play_drawing", ""))
    if found:
        state["play_drawing"], state["play_data_url"] = found["raw"], found["data"]
        kept().put(state["play_name"], found)


def keep() -> None:
    """The present drawing, under the session's name, which the address bar holds."""
    state, drawing = st.session_state, st.session_state.get("play_drawing")
    name = state["play_name"]
    if not drawing or not state.get("play_data_url"):
        kept().drop(name)
        st.query_params.pop("play_drawing", None)
        return
    if state.get("play_kept") is not drawing:
        kept().put(name, {"raw": drawing, "data": state["play_data_url"]})
        state["play_kept"] = drawing
    if st.query_params.get("play_drawing") != name:
        st.query_params["play_drawing"] = name
