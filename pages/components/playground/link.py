"""Values of the page that its address holds, where a control cannot be bound to one."""

import streamlit as st


def from_link(name: str) -> str | None:
    """What the address said when the session began, once; None later."""
    key = f"{name}_followed"
    if key in st.session_state:
        return None
    st.session_state[key] = True
    return st.query_params.get(name)


def to_link(name: str, value: object | None) -> None:
    """Writes a value into the address; None takes it out."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)
