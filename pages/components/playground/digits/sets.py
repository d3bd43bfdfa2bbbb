"""Sets of drawings for a class or group: the one that is open, its link, and who may change it."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import streamlit as st

from mnist_core.data.drawing_files import LONGEST_AUTHOR
from mnist_core.data.drawing_sets import LONGEST_NAME, DrawingSet, all_sets, find_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import LabError, NotFound
from mnist_core.formatting import counted, plain
from mnist_core.jobs.permissions import owner_of
from mnist_core.runs.store import RunStore
from pages.components.playground.link import from_link, to_link
from pages.components.shared.common import error_shown_later
from pages.components.shared.visitor import actions, may_change, visitor

OPEN = "play_set"  # in the session and in the address: the key of the set that is open
TAG, WALL = "play_tag", "play_wall"
MOST_LISTED = 12  # sets, the newest
DAMAGED = (
    "The file that describes this set is damaged: its name is lost, and who began it. Its drawings "
    "are all here. Whoever runs the lab can name it and open it again."
)
OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


def open_set() -> DrawingSet | None:
    """The set whose link was followed; says so where there is none of that key."""
    state, asked = st.session_state, from_link(OPEN)
    key = asked or state.get(OPEN)
    found = None
    if key:
        try:
            found = find_set(RunStore().root, key)
        except NotFound as error:
            state["play_lost"] = str(error)
    state[OPEN] = found and found.key
    to_link(OPEN, state[OPEN])
    return found


def go_to(key: str | None) -> None:
    """Opens another set; None leaves it."""
    st.session_state[OPEN] = key
    st.session_state["play_lost"] = None


def projected(one: DrawingSet | None) -> bool:
    """Whether the page shows nothing but the set, for a projector."""
    asked = st.query_params.get(WALL) == "true"  # until the switch is on the page
    return one is not None and bool(st.session_state.get(WALL, asked))


def link_of(one: DrawingSet) -> str:
    """The address that opens the set, as the browser that shows this page reaches the lab."""
    home = str(st.context.url or "").rstrip("/").removesuffix("/playground")
    return f"{home}/playground?{OPEN}={one.key}"


def reaches_others(link: str) -> bool:
    return (urlsplit(link).hostname or "localhost") not in OWN_MACHINE


def bar(one: DrawingSet, own: Handwriting) -> None:
    """The name of the set that is open, the visitor's tag, and what else there is to do."""
    manages = may_change() and actions(RunStore()).may_manage(one)
    if one.damaged:
        st.warning(DAMAGED, icon=":material/broken_image:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        closed = "" if one.open else " :gray-badge[closed]"
        st.subheader(f"{plain(one.name)}{closed}", anchor=False, width="content")
        if may_change() and one.open and not projected(one):
            tag_field(own)
        with st.popover("Share", icon=":material/share:"):
            invitation(one)
            if not (manages or projected(one)):
                projector()
            st.button(
                "Leave this set",
                icon=":material/logout:",
                key="play_leave",
                on_click=go_to,
                args=(None,),
                help="Its drawings stay. Its link brings you back.",
            )
        if manages:
            with st.popover("Manage", icon=":material/settings:"):
                manage(one, own)
        if manages or projected(one):
            projector()


def tag_field(own: Handwriting) -> None:
    st.session_state.setdefault(TAG, last_tag(own))
    st.text_input(
        "Your tag",
        key=TAG,
        max_chars=LONGEST_AUTHOR,
        persist_state="session",
        placeholder="Your initials",
        label_visibility="collapsed",
        help="Stands under your drawings, where all in this set see it. Initials will do.",
        width=150,
    )


def last_tag(own: Handwriting) -> str:
    """The one under this visitor's latest drawing in the set."""
    key, store = visitor().key, RunStore()
    with suppress(LabError):
        for sample in reversed(own.samples()):
            if owner_of(store, own, sample) == key:
                return sample.author
    return ""


def projector() -> None:
    st.toggle(
        "Projector",
        key=WALL,
        bind="query-params",
        persist_state="session",
        help="Only the drawings, large, and the link.",
    )


def invitation(one: DrawingSet) -> None:
    """The link, to be copied."""
    link = link_of(one)
    st.markdown("Whoever opens this link draws in this set:")
    st.code(link, language=None)
    if not reaches_others(link):
        st.caption(
            "This address works on this machine only. “Run it for others” in the README says how "
            "to let a class in."
        )


def manage(one: DrawingSet, own: Handwriting) -> None:
    """For whoever began the set: its name, whether it is open, and deleting it."""
    name = f"play_set_name_{one.key}"
    st.session_state.setdefault(name, one.name)
    st.text_input(
        "Name",
        key=name,
        max_chars=LONGEST_NAME,
        help="Stands above the drawings.",
        on_change=error_shown_later(
            lambda: actions(RunStore()).change_set(one, name=st.session_state[name])
        ),
    )
    st.button(
        "Close the set" if one.open else "Open it again",
        icon=":material/lock:" if one.open else ":material/lock_open:",
        key="play_set_close",
        on_click=error_shown_later(lambda: actions(RunStore()).change_set(one, open=not one.open)),
        help="A closed set can be looked at; nothing can be added.",
    )
    with suppress(LabError):
        number = counted(len(own.samples()), "drawing")
        sure = st.checkbox(
            f"Delete it, with {number}",
            key=f"play_set_sure_{one.key}",
            help="It cannot be brought back. A download keeps the drawings.",
        )
        if sure:
            st.button(
                "Delete for good",
                icon=":material/delete_forever:",
                key="play_set_delete",
                on_click=error_shown_later(lambda: _delete(one)),
            )


def _delete(one: DrawingSet) -> None:
    actions(RunStore()).delete_set(one)
    go_to(None)


def begin() -> None:
    """Where no set is open: a new one, and those that this visitor began."""
    act = actions(RunStore())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "A set for your class or group",
            key="play_new_set",
            max_chars=LONGEST_NAME,
            placeholder="Class 7b",
            help="It has a link of its own. Who opens the link draws in it, and all see the "
            "drawings as they come in.",
            width=280,
        )
        st.button(
            "Begin",
            icon=":material/group_add:",
            key="play_begin_set",
            on_click=error_shown_later(_begin),
        )
    known = [one for one in all_sets(RunStore().root) if act.may_manage(one)][:MOST_LISTED]
    if known:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown("Your sets:", width="content")
            for one in known:
                closed = "" if one.open else " (closed)"
                st.button(
                    f"{plain(one.name)}{closed}",
                    key=f"play_open_{one.key}",
                    on_click=go_to,
                    args=(one.key,),
                    help=f"Begun on {one.begun[:10]}.",
                )


def _begin() -> None:
    go_to(actions(RunStore()).begin_set(st.session_state["play_new_set"]).key)
