"""The drawings as a zip file, out and in."""

from __future__ import annotations

import streamlit as st

from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import LabError
from mnist_core.formatting import counted, plain
from mnist_core.runs.store import RunStore
from pages.components.playground.digits.save import SAVED
from pages.components.shared.visitor import actions, may_change


def exchange(own: Handwriting, downloads: bool, takes: bool) -> None:
    """`downloads`: there is something to download; `takes`: drawings can be added."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if downloads:
            st.download_button(
                "Download all drawings",
                own.to_zip,
                file_name=f"handwriting-{'-'.join(filter(None, (own.set_key, own.dataset)))}.zip",
                mime="application/zip",
                icon=":material/download:",
                on_click="ignore",
                help="A zip file of the drawings as PNGs and a CSV of their labels.",
            )
        file = (
            takes
            and may_change()
            and st.file_uploader(
                "Add drawings from a zip file",
                ["zip"],
                key="play_zip",
                help="A zip file that was downloaded here.",
                width=320,
            )
        )
    if file and st.session_state.get("play_zip_done") != (file.file_id, own.set_key):
        try:
            new = actions(RunStore()).import_drawings(own, file.getvalue())
        except LabError as error:  # told until the file is taken back
            st.error(plain(error), icon=":material/folder_zip:")
            return
        st.session_state["play_zip_done"] = file.file_id, own.set_key
        st.session_state[SAVED] = f":green-badge[Added] {counted(new, 'new drawing')}."
        st.rerun()
