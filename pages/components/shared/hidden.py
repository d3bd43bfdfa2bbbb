"""What is on the page and takes no room there: a heading for screen readers, a script."""

import streamlit as st


def out_of_layout(key: str, html: str, *, scripts: bool = False) -> None:
    """Adds HTML in a container of this key, which is neither seen nor makes the page wider."""
    style = f"<style>:has(>.st-key-{key}){{position:absolute;width:1px;overflow:hidden}}</style>"
    with st.container(key=key):
        st.html(style + html, unsafe_allow_javascript=scripts)
