"""Views that look again by themselves, as long as something changes."""

import streamlit as st


def rerun_at_rest(key: str, value: str, changing: bool) -> None:
    """Runs the whole page once more when what changed by itself has ended: it polls no longer."""
    if st.session_state.get(key) == value and not changing:
        st.session_state[key] = None
        st.rerun()
    st.session_state[key] = value if changing else None
