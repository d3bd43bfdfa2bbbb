"""A visitor without a browser: speaks with a Streamlit server as the page in a browser does.

It keeps what a browser keeps (the elements of the page, its controls' states, the address, cached
messages, fragments that run by themselves) and shows nothing, so that one process can be many.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

LIMIT = 120.0  # seconds after which an answer no longer counts


@dataclass
class Answer:
    """What came back to one message: seconds to the last words that matched, and to the end."""

    matched: float
    whole: float
    text: str  # all words that came


@dataclass
class Visitor:
    """One visitor on one page. `open` first; then `send`, which waits for the page to finish."""

    url: str
    page: str
    states: dict[str, WidgetState] = field(default_factory=dict)  # by the widgets' ids
    widgets: dict[str, Any] = field(default_factory=dict)  # (id, element) by the widgets' keys
    fragments: dict[str, str] = field(default_factory=dict)  # by their widgets' keys
    query: str = ""
    came: int = 0  # messages

    async def open(self) -> None:
        address = self.url.replace("http", "ws") + "/_stcore/stream"
        self._socket: ClientConnection = await connect(
            address,
            subprotocols=["streamlit"],
            max_size=None,
            origin=self.url,
            ping_interval=None,  # a busy server is slow, not gone
        )
        self._known: dict[str, ForwardMsg] = {}
        self._again: dict[str, asyncio.Task[None]] = {}  # fragments that run by themselves
        self._finished, self._hash, self._fragment = asyncio.Event(), "", ""
        self._elements: list[tuple[float, str]] = []  # when words came, and which
        self._reader = asyncio.create_task(self._read())
        await self.send()

    async def close(self) -> None:
        for task in (*self._again.values(), self._reader):
            task.cancel()
        await self._socket.close()

    def set(self, key: str, **value: Any) -> None:
        """Sets the state of the control with this key, as a WidgetState has it."""
        id = self.widgets[key][0]
        self.states[id] = WidgetState(id=id, **value)
        self._fragment = self.fragments[key]

    async def send(self, having: str = "") -> Answer:
        """The page runs again, or of it the fragment of the control that was set last.

        `having`: words in the HTML or Markdown that is waited for.
        """
        self._elements.clear()
        self._finished.clear()
        began = time.monotonic()
        await self._rerun(self._fragment)
        await asyncio.wait_for(self._finished.wait(), LIMIT)
        whole = time.monotonic()
        found = [(at, text) for at, text in self._elements if having in text]
        if not found:
            raise LookupError(f"no {having!r} in what came: {[t[:60] for _, t in self._elements]}")
        return Answer(
            found[-1][0] - began, whole - began, "\n".join(text for _, text in self._elements)
        )

    async def _rerun(self, fragment: str = "", by_itself: bool = False) -> None:
        message = BackMsg()
        client = message.rerun_script
        client.query_string, client.fragment_id = self.query, fragment
        client.page_script_hash, client.is_auto_rerun = self._hash, by_itself
        if not self._hash:
            client.page_name = self.page
        client.widget_states.widgets.extend(self.states.values())
        client.cached_message_hashes.extend(self._known)
        client.context_info.url = f"{self.url}/{self.page}"
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        async for data in self._socket:
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            if message.WhichOneof("type") == "ref_hash":
                kept, metadata = self._known[message.ref_hash], message.metadata
                message = ForwardMsg()
                message.CopyFrom(kept)
                message.metadata.CopyFrom(metadata)
            elif message.metadata.cacheable:
                self._known[message.hash] = message
            self.came += 1
            self._take(message)

    def _take(self, message: ForwardMsg) -> None:
        kind, fragments = message.WhichOneof("type"), message.metadata.run.fragment_ids
        if kind == "new_session":
            if not fragments:
                self._stop_all()
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._stop(message.auto_rerun.fragment_id)
            task = asyncio.create_task(self._repeat(message.auto_rerun))
            self._again[message.auto_rerun.fragment_id] = task
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop(fragment)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._element(message.delta.new_element, message.delta.fragment_id)
        elif kind == "script_finished" and (not fragments or self._fragment in fragments):
            self._end(message.script_finished)

    def _end(self, how: int) -> None:
        """A page that begins again at once is not finished."""
        if how in (
            ForwardMsg.FINISHED_SUCCESSFULLY,
            ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
        ):
            self._finished.set()

    def _element(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        content = getattr(element, kind)
        if kind in ("html", "markdown"):
            self._elements.append(
                (time.monotonic(), content.body.replace("\N{NO-BREAK SPACE}", " "))
            )
        elif kind == "exception":
            raise AssertionError(content.message)
        id = getattr(content, "id", "")
        if id.startswith("$$ID-"):
            key = id.split("-", 2)[2]
            self.widgets[key], self.fragments[key] = (id, content), fragment

    def _stop(self, fragment: str) -> None:
        if task := self._again.pop(fragment, None):
            task.cancel()

    def _stop_all(self) -> None:
        for task in self._again.values():
            task.cancel()
        self._again.clear()

    async def _repeat(self, order: Any) -> None:
        with suppress(Exception):  # the connection is closed
            while True:
                await asyncio.sleep(order.interval)
                await self._rerun(order.fragment_id, by_itself=True)
