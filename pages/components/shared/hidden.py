"""What is on the page and takes no room there: a heading for screen readers, a script."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def hidden_container(key: str) -> Iterator[None]:
    """A container of this key, which is neither seen nor makes the page wider."""
    style = f"<style>:has(>.st-key-{key}){{position:absolute;width:1px;overflow:hidden}}</style>"
    with st.container(key=key):
        st.html(style)
        yield


def out_of_layout(key: str, html: str) -> None:
    """Adds HTML in such a container."""
    with hidden_container(key):
        st.html(html)
