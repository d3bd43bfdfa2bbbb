"""Which experiments a learner has finished. The browser keeps it: the server knows nobody."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

DONE, KEY = "learn_done", "learn_kept"
SCRIPT = """
const NAME = "mnist_lab_experiments"

export default function ({ data, setStateValue }) {
  let kept = []
  try { kept = JSON.parse(localStorage.getItem(NAME) ?? "[]") } catch { kept = [] }
  if (!Array.isArray(kept)) kept = []
  const all = [...new Set([...kept, ...data.done])]
  try { localStorage.setItem(NAME, JSON.stringify(all)) } catch { /* it may be switched off */ }
  if (all.some(name => !data.done.includes(name))) setStateValue("done", all)
}
"""

_component = st.components.v2.component("lab_progress", html="<span></span>", js=SCRIPT)


def finished(names: Sequence[str]) -> list[str]:
    """Those of `names` that are finished, in this visit or an earlier one."""
    state = st.session_state
    kept = getattr(state.get(KEY), "done", None)
    known = [*state.get(DONE, []), *(kept if isinstance(kept, list) else [])]
    return [name for name in names if name in known]


def finish(name: str) -> None:
    state = st.session_state
    state[DONE] = sorted({*state.get(DONE, []), name})


def progress(names: Sequence[str]) -> None:
    """The bar, and what has the browser keep it."""
    done = finished(names)
    words = f"{len(done)} of {len(names)} experiments done"
    how = "" if done else ": predict, try it, and check against real runs, five minutes each"
    st.progress(len(done) / len(names), text=words + how)


def keep(names: Sequence[str]) -> None:
    _component(data={"done": finished(names)}, key=KEY, on_done_change=lambda: None)
