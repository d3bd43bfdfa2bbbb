"""The secret by which a shared lab knows a browser. A cookie keeps it, for all tabs and for later.

The browser decides which one counts: two tabs that open at the same moment are each given a secret,
and the first to arrive becomes the cookie, which the other takes on.
"""

import re
import secrets

import streamlit as st

from pages.components.shared.hidden import hidden_container

COOKIE = "mnist_lab_visitor"
SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
YEAR = 31_536_000  # seconds
STATE, KEY = "visitor_secret", "visitor_cookie"

_keeper = st.components.v2.component(
    "lab_visitor_cookie",
    js="""
export default function ({ data, setStateValue }) {
  const start = data.cookie + "=";
  const kept = document.cookie.split("; ").find((each) => each.startsWith(start));
  const secret = kept ? kept.slice(start.length) : "";
  if (/^[A-Za-z0-9_-]{32}$/.test(secret)) {
    if (secret !== data.secret) setStateValue("secret", secret);
    return;
  }
  const secure = location.protocol === "https:" ? ";secure" : "";
  const kind = `;path=/;max-age=${data.seconds};samesite=strict${secure}`;
  document.cookie = start + data.secret + kind;
}
""",
)


def browser_secret() -> str:
    """The secret of the browser that shows this page; a new one until its cookie is known."""
    state = st.session_state
    if STATE not in state:
        sent = st.context.cookies.get(COOKIE, "")
        state[STATE] = sent if SECRET.fullmatch(sent) else secrets.token_urlsafe(24)
    return str(state[STATE])


def keep_secret() -> None:
    """Has the browser keep the secret, or tell the one that it has."""
    secret = browser_secret()
    if st.context.cookies.get(COOKIE) == secret:
        return
    with hidden_container(KEY + "_place"):
        data = {"cookie": COOKIE, "secret": secret, "seconds": YEAR}
        _keeper(data=data, key=KEY, on_secret_change=_take_on)


def _take_on() -> None:
    told = st.session_state[KEY].get("secret")
    if isinstance(told, str) and SECRET.fullmatch(told):
        st.session_state[STATE] = told
