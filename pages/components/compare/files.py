"""Compare's one menu of files: what the page shows at the moment, as CSV with full precision."""

import functools

import pandas as pd
import streamlit as st

SHOWN = "cmp_files"


def begin() -> None:
    """Forgets what earlier runs of the page showed."""
    st.session_state.setdefault(SHOWN, {}).clear()


def offer(key: str, data: pd.DataFrame) -> None:
    """Puts a data frame into the menu, under the name that `key` gives its file."""
    st.session_state.setdefault(SHOWN, {})[name_of(key)] = data


def name_of(key: str) -> str:
    """The name of a file without its ending: "cmp_robust_noise" -> "robust-noise"."""
    return key.removeprefix("cmp_").replace("_", "-")


def menu() -> None:
    """A button for each file; a file is made when its button is pressed."""
    shown: dict[str, pd.DataFrame] = st.session_state.get(SHOWN, {})
    with st.popover("CSV", icon=":material/download:", type="tertiary", help="Download the data"):
        for name in shown:
            st.download_button(
                f"{name}.csv",
                functools.partial(_content, shown, name),
                file_name=f"{name}.csv",
                mime="text/csv",
                key=f"cmp_file_{name}",
                type="tertiary",
                on_click="ignore",
            )
        st.caption("What the page shows now. Open a tab for its files.")


def _content(shown: dict[str, pd.DataFrame], name: str) -> bytes:
    """Looked up when the button is pressed: a tab may have drawn something else since."""
    return shown[name].to_csv(index=False).encode()
