"""Signing in with an account that a provider vouches for, where the server's secrets.toml has one.

See st.login. Then only who has signed in may change anything, and a visitor is known by the account
on every machine and in every browser.
"""

import os

import streamlit as st
from streamlit.errors import Error

from mnist_core.formatting import plain

ADMINISTRATORS = "MNIST_ADMINISTRATORS"  # their e-mail addresses, with commas between them


def is_configured() -> bool:
    """Whether there is a provider to sign in with."""
    return "is_logged_in" in st.user


def account() -> str:
    """What tells this visitor's account from all others; "" for one who is not signed in."""
    if not is_configured() or not st.user["is_logged_in"]:
        return ""
    names = [str(st.user.get(claim) or "") for claim in ("iss", "sub", "email")]
    return " ".join(names[:2]) if names[1] else names[2]


def is_administrator() -> bool:
    """Whether the visitor has signed in with the address of an administrator.

    An address counts only if the provider says that it has checked whose it is.
    """
    address = str(st.user.get("email") or "").strip().lower()
    known = os.environ.get(ADMINISTRATORS, "").lower().split(",")
    checked = st.user.get("email_verified") is True
    return bool(account() and address and checked and address in map(str.strip, known))


def providers() -> list[str]:
    """The names of the providers; "" is the one that has none."""
    section = st.secrets.get("auth", {})
    named = [name for name, value in section.items() if hasattr(value, "items")]
    return [name for name in named if name != "client_kwargs"] or [""]


def sign_in_row() -> None:
    """Who is signed in, with a button to sign out; or a button to sign in with each provider."""
    with st.container(horizontal=True, vertical_alignment="center", key="sign_in"):
        if account():
            name = st.user.get("name") or st.user.get("email") or "a visitor without a name"
            st.caption(f"Signed in as {plain(str(name))}", width="content")
            st.button("Sign out", key="sign_out", type="tertiary", on_click=st.logout)
            return
        st.caption("You can look and draw. Sign in to train, change or keep anything.")
        for provider in providers():
            label = f"Sign in with {plain(provider)}" if provider else "Sign in"
            if st.button(label, key=f"sign_in_{provider}", icon=":material/login:"):
                begin(provider)


def begin(provider: str) -> None:
    """Sends the browser to the provider."""
    try:
        st.login(provider or None)
    except Error:
        st.error(
            "Signing in is not set up completely: the section [auth] of secrets.toml lacks "
            'settings, or the package is missing (pip install "streamlit[auth]").',
            icon=":material/error:",
        )
