"""Who sits before the page, and what they may change.

On one's own machine that is everything. A shared lab knows a visitor by a secret that the browser
keeps in a cookie, or by the account that the visitor has signed in with: whoever starts a run can
stop it.
"""

import hmac
import os
import threading
import time

import streamlit as st

from mnist_core import limits
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.permissions import Visitor
from mnist_core.jobs.visitors import key_of
from mnist_core.runs.store import RunStore
from pages.components.shared import sign_in
from pages.components.shared.secret import browser_secret, keep_secret

OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
PASSWORD = "MNIST_ADMIN_PASSWORD"
ONE_GUESS = threading.Lock()  # of the password, in a second


def is_shared() -> bool:
    """Whether others use the lab, too: they can reach it, by a proxy perhaps, or it has limits."""
    listens = st.get_option("server.address") not in OWN_MACHINE
    hosts = st.get_option("server.allowedHosts")  # none: every name is allowed
    named = not hosts or any(host not in OWN_MACHINE for host in hosts)
    told = limits.are_set() or bool(os.environ.get(PASSWORD))
    return listens or named or told or sign_in.is_configured()


def actions(store: RunStore) -> Actions:
    """What this visitor may change in the store."""
    return Actions(store, visitor())


def visitor() -> Visitor:
    """Who sits before the page."""
    if not is_shared():
        return Visitor()
    account = sign_in.account()
    trusted = bool(st.session_state.get("administrator")) or sign_in.is_administrator()
    key = key_of(f"account {account}" if account else browser_secret())
    return Visitor(key, trusted, signed_in=trusted or bool(account) or not sign_in.is_configured())


def may_change() -> bool:
    """Whether there are controls that start, stop, keep or remove anything."""
    return not limits.read_only() and visitor().signed_in


def may_search() -> bool:
    """Whether there are controls that start, end or delete a search of settings."""
    return may_change() and visitor().trusted


def remember_visitor() -> None:
    """Has the browser keep by what the lab knows it, where that makes a difference."""
    if is_shared() and not limits.read_only() and not sign_in.account():
        keep_secret()


def signing_in() -> None:
    """Lets a visitor sign in or out, where there is an account to sign in with."""
    if sign_in.is_configured() and not limits.read_only():
        sign_in.sign_in_row()


def administration() -> None:
    """The field for the administrator's password, where one is set."""
    if not os.environ.get(PASSWORD) or limits.read_only():
        return
    if st.session_state.get("administrator"):
        st.caption("You are the administrator: you can stop and delete every run.")
        return
    with st.popover("Administrator", icon=":material/key:", type="tertiary"):
        st.text_input(
            "Password",
            type="password",
            key="administrator_password",
            on_change=_check_password,
            help="Anyone who knows it can stop and delete every run.",
        )
        if st.session_state.pop("wrong_password", False):
            st.error("Wrong password.", icon=":material/error:")


def _check_password() -> None:
    state = st.session_state
    given = str(state["administrator_password"]).encode()
    with ONE_GUESS:
        right = hmac.compare_digest(given, os.environ.get(PASSWORD, "").encode())
        if not right:
            time.sleep(1)
    state["administrator_password"] = ""
    state["administrator"], state["wrong_password"] = right, not right
